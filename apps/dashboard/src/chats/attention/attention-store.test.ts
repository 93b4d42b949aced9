import assert from "node:assert/strict";
import { test } from "node:test";
import { nextWaiting, setAttention } from "./attention-store.ts";

test("the next is the one that waits longest, then the one after it, and in the end the first again", () => {
  setAttention({ waitingIds: ["a", "b"] });
  assert.equal(nextWaiting(null), "a");
  assert.equal(nextWaiting("elsewhere"), "a");
  assert.equal(nextWaiting("a"), "b");
  assert.equal(nextWaiting("b"), "a");
});

test("who looks at the only one that waits is led nowhere", () => {
  setAttention({ waitingIds: ["a"] });
  assert.equal(nextWaiting("a"), null);
  setAttention(null);
  assert.equal(nextWaiting(null), null);
});
