/** Each rule that a struck chat is judged by can be broken, and says so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import {
  judgeCalls,
  judgeEffects,
  judgeLeftovers,
  judgeMessages,
  judgeRest,
  judgeSeen,
  judgeWords,
} from "./chat-kills-judge.ts";
import type { ChatRowSeen } from "./chat-kills-moments.ts";

function row(role: string, ...content: readonly MessagePart[]): ChatRowSeen {
  return { id: 1, role, visibility: "both", compressed: false, content };
}

const says = (text: string): MessagePart => ({ type: "text", text });
const calls = (id: string): MessagePart => ({
  ...{ type: "tool-call", tool_call_id: id, tool_name: "execute", args: {} },
});
const results = (id: string, result: unknown = "done"): MessagePart => ({
  ...{ type: "tool-result", tool_call_id: id, tool_name: "execute", result },
});

test("a chat rests where it waits for its person, and nowhere else", () => {
  assert.deepEqual(judgeRest({ status: "waiting", error: null }), []);
  assert.equal(judgeRest({ status: "error", error: { message: "no" } }).length, 1);
});

test("what is left of a turn agrees with itself, and nothing is under way", () => {
  const done = {
    ...{ isRetryRecorded: false, isDeadlineSet: false, queued: 0, queuedRows: 0 },
    ...{ version: 9, historyVersion: 7, revisionMax: 7 },
  };
  assert.deepEqual(judgeLeftovers(done), []);
  for (const wrong of [
    { isRetryRecorded: true },
    { isDeadlineSet: true },
    { queuedRows: 1 },
    { revisionMax: 8 },
    { revisionMax: 6 },
    { version: 6 },
  ]) {
    assert.equal(judgeLeftovers({ ...done, ...wrong }).length, 1, JSON.stringify(wrong));
  }
});

test("messages are the accepted ones: none lost, none twice, in their order", () => {
  const [one, two] = [row("user", says("one")), row("user", says("two"))];
  assert.deepEqual(judgeMessages(["one", "two"], [one, two]), []);
  for (const rows of [[one], [one, two, two], [two, one]]) {
    assert.equal(judgeMessages(["one", "two"], rows).length, 1);
  }
});

test("each call has one result, behind it", () => {
  const call = row("assistant", calls("a"));
  const result = row("tool", results("a"));
  assert.deepEqual(judgeCalls([call, result]), []);
  assert.deepEqual(judgeCalls([call]), ["call a has no result"]);
  assert.deepEqual(judgeCalls([call, result, result]), ["result of a, which is not open"]);
  assert.deepEqual(judgeCalls([call, result, call, result]).at(0), "call a comes twice");
  assert.equal(judgeCalls([result, call]).length, 3);
});

test("words of an answer come once, in their order, without holes", () => {
  assert.deepEqual(judgeWords([row("assistant", says("w1x0 w1x1 w2x0 w1x2"))]), []);
  for (const text of ["w1x0 w1x0", "w1x0 w1x2", "w1x1"]) {
    assert.equal(judgeWords([row("assistant", says(text))]).length, 1, text);
  }
});

test("what a viewer was shown is in the history", () => {
  const seen = new Map([
    [
      "1/1",
      new Map([
        [1, "w1x0 "],
        [2, "w1x1"],
      ]),
    ],
  ]);
  const viewer = { seen, contradictions: [] };
  assert.deepEqual(judgeSeen(viewer, [row("assistant", says("w1x0 w1x1 w1x2"))], 0), []);
  const gone = ['seen and gone, in 1/1: "1x1" after 6 letters'];
  const rows = [row("assistant", says("w1x0 w2x0"))];
  assert.deepEqual(judgeSeen(viewer, rows, 0), gone);
  assert.deepEqual(judgeSeen(viewer, rows, 1), gone, "the attempt after an edit");
  assert.deepEqual(judgeSeen(viewer, rows, 2), [], "its person dropped it by an edit");
  assert.deepEqual(judgeSeen({ seen: new Map(), contradictions: ["two"] }, [], 0), ["two"]);
});

test("a tool took effect once, unless the model was told that nobody knows", () => {
  const patience = { scenario: "patience" } as const;
  const known = [row("assistant", calls("a")), row("tool", results("a"))];
  const unknown = [row("assistant", calls("a")), row("tool", results("a", "nobody saw how"))];
  const judged = (rows: readonly ChatRowSeen[], count: number): readonly string[] =>
    judgeEffects(patience, rows, () => count).violations;
  assert.deepEqual(judged(known, 1), []);
  assert.deepEqual(judged(unknown, 0), []);
  assert.deepEqual(judged(known, 0), ['execute took no effect: ["done"]']);
  assert.deepEqual(judged(unknown, 2), ["execute took effect 2 times"]);
  assert.deepEqual(judged([], 1), ["execute was called 0 times"]);
  assert.equal(judgeEffects(patience, unknown, () => 1).effectsUnknown, 1);
});

test("a tool that says that it was never done was not, and one that failed says why", () => {
  const tools = { scenario: "patience" } as const;
  const judged = (result: unknown, count: number): readonly string[] => {
    const part: MessagePart = {
      ...{ type: "tool-result", tool_call_id: "a", tool_name: "execute", is_error: true, result },
    };
    return judgeEffects(tools, [row("tool", part)], () => count).violations;
  };
  const unreached = "The workspace dev cannot be reached: it is likely stopped.";
  assert.deepEqual(judged(unreached, 0), []);
  assert.equal(judged(unreached, 1).length, 1);
  const cutOff = "The workspace cannot be reached: … Whether the call took effect is not known.";
  assert.deepEqual([...judged(cutOff, 0), ...judged(cutOff, 1)], []);
  // Nobody has decided what this means.
  assert.equal(judged("It did not work.", 1).length, 1);
  // A person who stops it, and only they, may leave it undone.
  const stopped = "tool call was interrupted before it produced a result";
  assert.notDeepEqual(judged(stopped, 0), []);
});

test("what was edited away took effect once at most", () => {
  const edit = { scenario: "edit" } as const;
  assert.deepEqual(judgeEffects(edit, [], () => 1).violations, []);
  assert.deepEqual(judgeEffects(edit, [], () => 2).violations, ["execute took effect twice"]);
});
