import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { WriteBehind } from "./write-behind.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function start(
  write: (items: readonly string[]) => Promise<void>,
  limits: { itemsMax?: number; bytesMax?: number; batchBytesMax?: number } = {},
) {
  const clock = new FakeClock();
  const counts = { queued: 0, overflow: 0, refused: 0, retries: 0 };
  const lost: object[] = [];
  const queue = new WriteBehind<string>({
    write,
    isTransient: (error) => (error as Error).message === "away",
    bytesOf: (item) => item.length,
    nameOf: (item) => ({ item }),
    clock,
    log: { ...silentLogger, error: (fields) => lost.push(fields) },
    metrics: {
      queued: (items) => (counts.queued = items),
      dropped: (reason, items) => (counts[reason] += items),
      retried: () => (counts.retries += 1),
      wrote: () => {},
    },
    limits: {
      itemsMax: limits.itemsMax ?? 100,
      bytesMax: limits.bytesMax ?? 1_000,
      batchItemsMax: 4,
      batchBytesMax: limits.batchBytesMax ?? 100,
      lingerMs: 20,
    },
  });
  return { queue, clock, counts, lost };
}

/** Remembers its batches, and fails as the test says. */
function writer(failures: (items: readonly string[]) => Error | null = () => null) {
  const batches: string[] = [];
  const write = async (items: readonly string[]): Promise<void> => {
    const failure = failures(items);
    if (failure !== null) throw failure;
    batches.push(items.join(""));
  };
  return { batches, write };
}

test("a batch waits 20 ms to fill, and no longer than until it is full", async () => {
  const { batches, write } = writer();
  const { queue, clock } = start(write);
  queue.add("a");
  queue.add("b");
  await clock.advance(19);
  assert.deepEqual(batches, []);
  await clock.advance(1);
  await turn();
  assert.deepEqual(batches, ["ab"]);
  for (const item of ["c", "d", "e", "f"]) queue.add(item);
  await turn();
  assert.deepEqual(batches, ["ab", "cdef"]);
});

test("drain writes everything in order, without waiting for batches to fill", async () => {
  const { batches, write } = writer();
  const { queue, counts } = start(write);
  for (const item of "abcdefghij".split("")) queue.add(item);
  await queue.drain(new AbortController().signal);
  assert.deepEqual(batches, ["abcd", "efgh", "ij"]);
  assert.equal(counts.queued, 0);
});

test("a batch is repeated while the database is away, in order, with growing pauses", async () => {
  let isAway = true;
  const { batches, write } = writer(() => (isAway ? new Error("away") : null));
  const { queue, clock, counts } = start(write);
  queue.add("a");
  await clock.advance(20 + 100 + 200 + 400);
  await turn();
  assert.equal(counts.retries, 4);
  queue.add("b");
  isAway = false;
  await clock.advance(800 + 20);
  await turn();
  assert.deepEqual(batches, ["a", "b"]);
  assert.equal(counts.refused + counts.overflow, 0);
});

test("one poisonous write does not take the others with it", async () => {
  const { batches, write } = writer((items) => (items.includes("x") ? new Error("poison") : null));
  const { queue, counts, lost } = start(write);
  for (const item of ["a", "b", "x", "c"]) queue.add(item);
  await queue.drain(new AbortController().signal);
  assert.equal(batches.join(""), "abc");
  assert.equal(counts.refused, 1);
  assert.equal((lost[0] as { item: string }).item, "x");
});

test("beyond its items or bytes the oldest are dropped, counted and logged once a second", async () => {
  const { batches, write } = writer();
  const { queue, counts, lost } = start(write, { itemsMax: 3, bytesMax: 8 });
  for (const item of ["a", "b", "c", "d", "eeeeeee"]) queue.add(item);
  await queue.drain(new AbortController().signal);
  assert.deepEqual(batches, ["deeeeeee"]);
  assert.equal(counts.overflow, 3);
  assert.deepEqual(lost, [{ lost: 1 }]);
});

test("a batch stays within its bytes, and a write too big for any goes alone", async () => {
  const { batches, write } = writer();
  const { queue } = start(write, { batchBytesMax: 5 });
  for (const item of ["aa", "bb", "cc", "dddddddd", "e"]) queue.add(item);
  await queue.drain(new AbortController().signal);
  assert.deepEqual(batches, ["aabb", "cc", "dddddddd", "e"]);
});

test("drain gives up with its signal's reason", async () => {
  const { queue, clock } = start(() => Promise.reject(new Error("away")));
  queue.add("a");
  const stop = new AbortController();
  const drained = queue.drain(stop.signal);
  stop.abort(new Error("no more time"));
  await assert.rejects(drained, /no more time/);
  const disposed = queue[Symbol.asyncDispose]();
  await clock.advance(10_000);
  await disposed;
});

test("what comes after the end is counted as lost, and nobody waits for it", async () => {
  const { batches, write } = writer();
  const { queue, counts } = start(write);
  await queue[Symbol.asyncDispose]();
  queue.add("a");
  await queue.drain(new AbortController().signal);
  assert.deepEqual(batches, []);
  assert.equal(counts.overflow, 1);
});
