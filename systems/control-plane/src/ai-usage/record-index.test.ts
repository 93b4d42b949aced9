import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RecordIndex } from "./record-index.ts";

test("it does what a map does, also where ids share a place", () => {
  const id = fc.constantFrom("", "a", "b", "c", "ab", "ba", "12345678x", "02345678x", "é");
  const step = fc.record({ id, kind: fc.constantFrom("add", "delete") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(1, 2, 64), (steps, places) => {
      const index = new RecordIndex<number>({ max: 1_000, places });
      const map = new Map<string, number>();
      for (const [value, step] of steps.entries()) {
        if (step.kind === "add") {
          assert.equal(index.add(step.id, value), !map.has(step.id));
          if (!map.has(step.id)) map.set(step.id, value);
        } else {
          assert.equal(index.delete(step.id), map.get(step.id));
          map.delete(step.id);
        }
        assert.equal(index.size, map.size);
        assert.equal(index.get(step.id), map.get(step.id));
      }
    }),
  );
});

test("what is never deleted does not fill the memory, and the newest stay", () => {
  const index = new RecordIndex<number>({ max: 3, places: 1 });
  for (let i = 0; i < 10; i += 1) index.add(`id ${i}`, i);
  assert.equal(index.size, 3);
  assert.deepEqual(
    [6, 7, 8, 9].map((i) => index.get(`id ${i}`)),
    [undefined, 7, 8, 9],
  );
});

test("ids of ours spread over all places", () => {
  const index = new RecordIndex<true>({ max: 4_000, places: 1_024 });
  // One in a place of its own is never forgotten for it: evenly spread, nearly all beyond the limit are.
  for (let i = 0; i < 8_000; i += 1) index.add(crypto.randomUUID(), true);
  assert.ok(index.size < 4_100, `${index.size}`);
});
