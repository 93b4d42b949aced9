import assert from "node:assert/strict";
import { test } from "node:test";
import { droppedText, landingOf } from "./landing.ts";

test("it says when a message lands, whatever the chat does", () => {
  const rows = [
    ["waiting", 0, "Lands now."],
    ["error", 2, "Lands now, before what is queued."],
    ["running", 0, "Lands after this turn."],
    ["running", 1, "Lands after this turn, behind one other message."],
    ["running", 3, "Lands after this turn, behind 3 other messages."],
    ["interrupting", 0, "Lands when the agent has stopped."],
    ["requires_action", 0, "Lands after this turn."],
    [null, 0, "Lands now."],
  ] as const;
  for (const [status, queued, words] of rows) {
    assert.equal(landingOf({ status, queued, isEditing: false }).enter, words);
  }
});

test("while the agent works, the other key says that it stops it", () => {
  const { now, verb } = landingOf({ status: "running", queued: 0, isEditing: false });
  assert.deepEqual([now, verb], ["Ctrl+Enter: now, stops the agent.", "Queue"]);
  assert.equal(landingOf({ status: "waiting", queued: 0, isEditing: false }).now, null);
});

test("an edit says what it drops", () => {
  assert.equal(landingOf({ status: "running", queued: 2, isEditing: true }).verb, "Replace");
  assert.equal(
    droppedText({ prompts: 0, queued: 0 }),
    "Sending drops its answer. What was changed in the workspace stays.",
  );
  assert.equal(
    droppedText({ prompts: 2, queued: 1 }),
    "Sending drops its answer and 2 later messages with theirs, and 1 queued message. What was changed in the workspace stays.",
  );
});
