import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { GroupCommit } from "./group-commit.ts";

type Call = {
  readonly items: readonly string[];
  readonly succeed: () => void;
  readonly crash: (error: Error) => void;
};

type Limits = { inFlightMax?: number; batchMax?: number; waitingMax?: number; gatherMs?: number };

function start(limits: Limits = {}) {
  const clock = new FakeClock();
  const calls: Call[] = [];
  const late: string[] = [];
  const group = new GroupCommit<string>({
    write: (items) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      calls.push({ items, succeed: resolve, crash: reject });
      return promise;
    },
    onLate: (item) => late.push(item),
    isRefusal: (error) => (error as Error).message === "refused",
    clock,
    batchMax: limits.batchMax ?? 3,
    inFlightMax: limits.inFlightMax ?? 1,
    gatherMs: limits.gatherMs ?? 0,
    waitingMax: limits.waitingMax ?? 10,
    waitMsMax: 5_000,
  });
  return { group, clock, calls, late };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a lone write goes at once, what comes meanwhile goes together", async () => {
  const { group, calls } = start();
  const writes = [group.write("a")];
  await turn();
  writes.push(...["b", "c", "d", "e"].map((item) => group.write(item)));
  await turn();
  assert.deepEqual(calls.map(({ items }) => items), [["a"]]); // prettier-ignore
  calls[0]?.succeed();
  await writes[0];
  await turn();
  await turn();
  assert.deepEqual(calls[1]?.items, ["b", "c", "d"]);
  calls[1].succeed();
  await turn();
  await turn();
  calls[2]?.succeed();
  await Promise.all(writes);
  assert.deepEqual(calls[2]?.items, ["e"]);
});

test("what one turn of the event loop brings goes together", async () => {
  const { group, calls } = start();
  const writes = ["a", "b"].map((item) => group.write(item));
  await turn();
  assert.deepEqual(calls.map(({ items }) => items), [["a", "b"]]); // prettier-ignore
  calls[0]?.succeed();
  await Promise.all(writes);
});

test("those who were just served and those who wait go together when they are back in time", async () => {
  const { group, calls } = start({ gatherMs: 2, batchMax: 10 });
  const writes = ["a", "b"].map((item) => group.write(item));
  await turn();
  writes.push(group.write("c"));
  calls[0]?.succeed();
  await writes[0];
  await turn();
  writes.push(group.write("a again"));
  await turn();
  assert.equal(calls.length, 1, "b may come back");
  writes.push(group.write("b again"));
  await turn();
  assert.deepEqual(calls[1]?.items, ["c", "a again", "b again"]);
  calls[1].succeed();
  await Promise.all(writes);
});

test("for those who do not come back nobody waits longer than that", async () => {
  const { group, clock, calls } = start({ gatherMs: 2, batchMax: 10 });
  const writes = ["a", "b"].map((item) => group.write(item));
  await turn();
  writes.push(group.write("c"));
  calls[0]?.succeed();
  await writes[0];
  await turn();
  await clock.advance(1);
  writes.push(group.write("a again"));
  await clock.advance(1);
  await turn();
  assert.deepEqual(calls[1]?.items, ["c", "a again"]);
  calls[1].succeed();
  await Promise.all(writes);
});

test("nobody waits after a lone write, and nobody when a statement is full", async () => {
  const { group, calls } = start({ gatherMs: 2 });
  const writes = [group.write("a")];
  await turn();
  writes.push(group.write("b"));
  calls[0]?.succeed();
  await writes[0];
  await turn();
  await turn();
  assert.deepEqual(calls[1]?.items, ["b"]);
  writes.push(...["c", "d"].map((item) => group.write(item)));
  calls[1].succeed();
  await writes[1];
  await turn();
  writes.push(...["e", "f", "g"].map((item) => group.write(item)));
  calls[2]?.succeed();
  await writes[2];
  await turn();
  await turn();
  assert.deepEqual(calls.slice(2).map(({ items }) => items), [["c", "d"], ["e", "f", "g"]]); // prettier-ignore
  calls[3]?.succeed();
  await Promise.all(writes);
});

test("beside one statement another goes only when it is full, and no more than allowed", async () => {
  const { group, calls } = start({ inFlightMax: 2, batchMax: 2 });
  const writes = [group.write("a")];
  await turn();
  writes.push(group.write("b"));
  await turn();
  assert.equal(calls.length, 1);
  writes.push(...["c", "d", "e"].map((item) => group.write(item)));
  // It is looked at with the next end.
  calls[0]?.succeed();
  await turn();
  await turn();
  assert.deepEqual(calls.map(({ items }) => items), [["a"], ["b", "c"], ["d", "e"]]); // prettier-ignore
  writes.push(...["f", "g"].map((item) => group.write(item)));
  await turn();
  assert.equal(calls.length, 3);
  for (const each of [1, 2]) calls[each]?.succeed();
  await turn();
  await turn();
  calls[3]?.succeed();
  await Promise.all(writes);
});

test("a statement that takes its time does not hold the others back", async () => {
  const { group, clock, calls } = start({ inFlightMax: 2 });
  const writes = [group.write("a")];
  await turn();
  writes.push(group.write("b"));
  await clock.advance(500);
  await turn();
  assert.deepEqual(calls.map(({ items }) => items), [["a"], ["b"]]); // prettier-ignore
  for (const call of calls) call.succeed();
  await Promise.all(writes);
});

test("a write that the database refuses fails alone", async () => {
  const { group, calls } = start();
  const first = group.write("a");
  await turn();
  const others = [group.write("b"), group.write("bad"), group.write("c")];
  const outcomes = Promise.allSettled(others);
  calls[0]?.succeed();
  await first;
  await turn();
  calls[1]?.crash(new Error("refused"));
  await turn();
  calls[2]?.succeed();
  await turn();
  calls[3]?.crash(new Error("refused"));
  await turn();
  calls[4]?.succeed();
  const statuses = (await outcomes).map(({ status }) => status);
  assert.deepEqual(statuses, ["fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual(calls.slice(1).map(({ items }) => items), [["b", "bad", "c"], ["b"], ["bad"], ["c"]]); // prettier-ignore
});

test("an unreachable database fails the whole batch", async () => {
  const { group, calls } = start();
  const writes = Promise.allSettled([group.write("a")]);
  await turn();
  calls[0]?.crash(new Error("gone"));
  assert.deepEqual((await writes).map(({ status }) => status), ["rejected"]); // prettier-ignore
});

test("after five seconds both the sent and the waiting are refused, and a late one is told", async () => {
  const { group, clock, calls, late } = start();
  const sent = group.write("sent");
  await turn();
  const outcomes = Promise.allSettled([sent, group.write("waiting")]);
  await clock.advance(5_250);
  const reasons = (await outcomes).map((outcome) => outcome.status);
  assert.deepEqual(reasons, ["rejected", "rejected"]);
  calls[0]?.succeed();
  await turn();
  assert.deepEqual(late, ["sent"]);
  assert.equal(calls.length, 1, "the waiting one is never sent");
});

test("too many waiting are refused at once", async () => {
  const { group, calls } = start({ waitingMax: 1 });
  const first = group.write("a");
  await turn();
  const second = group.write("b");
  await assert.rejects(group.write("c"), /1 records wait/);
  calls[0]?.succeed();
  await first;
  await turn();
  calls[1]?.succeed();
  await second;
});

test("the end waits for what is under way and refuses what is not", async () => {
  const { group, calls } = start();
  const first = group.write("a");
  await turn();
  const second = group.write("b");
  const ended = Promise.all([
    group[Symbol.asyncDispose](),
    assert.rejects(second, /shutting down/),
  ]);
  calls[0]?.succeed();
  await Promise.all([first, ended]);
  assert.equal(calls.length, 1);
});

test("nothing is written after the end", async () => {
  const { group, calls } = start();
  await group[Symbol.asyncDispose]();
  await assert.rejects(group.write("a"), /shutting down/);
  assert.equal(calls.length, 0);
});
