import assert from "node:assert/strict";
import { test } from "node:test";
import { LoopLoad } from "./loop-load.ts";

function loop() {
  const times = { idle: 0, active: 0 };
  const load = new LoopLoad(() => times);
  return {
    load,
    passes: (idle: number, active: number): boolean => {
      times.idle += idle;
      times.active += active;
      return load.isFull();
    },
  };
}

test("a loop that slept has time, one that worked through has none", () => {
  const { passes } = loop();
  assert.equal(passes(100, 0), false);
  assert.equal(passes(0, 5), true);
  assert.equal(passes(3, 2), false);
  assert.equal(passes(1, 9), true);
});

test("what is too short to tell changes nothing, and counts with what follows", () => {
  const { passes } = loop();
  assert.equal(passes(0, 1), false);
  assert.equal(passes(0, 0.9), false);
  assert.equal(passes(0, 0.2), true);
  assert.equal(passes(1.5, 0), true);
  assert.equal(passes(1, 0), false);
});

test("a thread that has done nothing but begin has time", () => {
  const load = new LoopLoad(() => ({ idle: 0, active: 0 }));
  assert.equal(load.isFull(), false);
});
