import assert from "node:assert/strict";
import { test } from "node:test";
import { highestHeld, plateauFigures } from "./long-measurements.ts";

const STEPS = [64, 128, 256, 512];

test("the highest step that is held is found in few looks", async () => {
  for (const limit of [0, ...STEPS]) {
    const looks: number[] = [];
    const found = await highestHeld(STEPS, (step) => {
      looks.push(step);
      return Promise.resolve(step <= limit);
    });
    assert.equal(found, limit);
    assert.ok(looks.length <= 3, looks.join(", "));
  }
});

test("memory that rises while the program warms up is no growth", () => {
  const seen = Array.from(
    { length: 100 },
    (_, i) => [i / 10, i < 30 ? i * 1_024 : 51_200] as const,
  );
  assert.deepEqual(plateauFigures(seen), {
    "plateau high": 50,
    "plateau low": 50,
    "plateau growth": 0,
  });
});

test("memory that rises to the end is growth, and a short run says nothing about it", () => {
  const seen = Array.from({ length: 100 }, (_, i) => [i / 10, 51_200 + i * 102.4] as const);
  assert.equal(Math.round(plateauFigures(seen)["plateau growth"] ?? 0), 1);
  assert.equal(plateauFigures(seen.slice(0, 10))["plateau growth"], undefined);
});
