import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { BriefMemory, MEMORY_MS } from "./brief-memory.ts";

test("what was read is remembered for a moment, and what must not be kept is not", async () => {
  const clock = new FakeClock();
  const memory = new BriefMemory<string | null>(clock);
  let reads = 0;
  const get = (value: string | null) =>
    memory.get(
      "key",
      async () => {
        reads += 1;
        return value;
      },
      (read) => read === null,
    );
  assert.equal(await get(null), null);
  assert.equal(await get("newer"), null);
  await clock.advance(MEMORY_MS);
  assert.equal(await get("newer"), "newer");
  assert.equal(await get("newest"), "newest");
  assert.equal(reads, 3);
});

test("what is forgotten is read anew, also by a read that was under way", async () => {
  const memory = new BriefMemory<number>(new FakeClock());
  const late = Promise.withResolvers<number>();
  const keep = () => true;
  const first = memory.get("key", () => late.promise, keep);
  memory.forget();
  late.resolve(1);
  assert.equal(await first, 1);
  assert.equal(await memory.get("key", async () => 2, keep), 2);
  memory.forget();
  assert.equal(await memory.get("key", async () => 3, keep), 3);
});
