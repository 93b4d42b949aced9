/** What is done once for all that one turn of the event loop brings. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { atEndOfTurn } from "./end-of-turn.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what is asked for in one turn is done together at its end, in order", async () => {
  const done: string[] = [];
  atEndOfTurn({ endTurn: () => done.push("a") });
  await Promise.resolve();
  atEndOfTurn({ endTurn: () => done.push("b") });
  assert.deepEqual(done, []);
  await turn();
  assert.deepEqual(done, ["a", "b"]);
});

test("what is asked for meanwhile is done in the next turn", async () => {
  const done: string[] = [];
  atEndOfTurn({
    endTurn: () => {
      done.push("first");
      atEndOfTurn({ endTurn: () => done.push("second") });
    },
  });
  await turn();
  assert.deepEqual(done, ["first"]);
  await turn();
  assert.deepEqual(done, ["first", "second"]);
});

test("one that throws is heard of, and holds nobody up", async () => {
  const done: string[] = [];
  const heard = new Promise<unknown>((resolve) => {
    process.setUncaughtExceptionCaptureCallback(resolve);
  });
  try {
    atEndOfTurn({
      endTurn: () => {
        throw new Error("broken");
      },
    });
    atEndOfTurn({ endTurn: () => done.push("other") });
    assert.match(String(await heard), /broken/);
    await turn();
    assert.deepEqual(done, ["other"]);
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
});
