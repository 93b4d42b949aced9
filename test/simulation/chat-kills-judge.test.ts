/** Each rule that a struck chat is judged by can be broken, and says so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import {
  judgeCalls,
  judgeEffects,
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
  assert.deepEqual(judgeSeen(viewer, [row("assistant", says("w1x0 w1x1 w1x2"))]), []);
  assert.deepEqual(judgeSeen(viewer, [row("assistant", says("w1x0 w2x0"))]), [
    'seen and gone, in 1/1: "1x1" after 6 letters',
  ]);
  assert.deepEqual(judgeSeen({ seen: new Map(), contradictions: ["two"] }, []), ["two"]);
});

test("a tool took effect once, unless the model was told that nobody knows", () => {
  const patience = { scenario: "patience" } as const;
  const known = [row("assistant", calls("a")), row("tool", results("a"))];
  const unknown = [row("assistant", calls("a")), row("tool", results("a", "nobody saw how"))];
  const judged = (rows: readonly ChatRowSeen[], count: number): readonly string[] =>
    judgeEffects(patience, rows, () => count).violations;
  assert.deepEqual(judged(known, 1), []);
  assert.deepEqual(judged(unknown, 0), []);
  assert.deepEqual(judged(known, 0), ["execute took no effect"]);
  assert.deepEqual(judged(unknown, 2), ["execute took effect 2 times"]);
  assert.deepEqual(judged([], 1), ["execute was called 0 times"]);
  assert.equal(judgeEffects(patience, unknown, () => 1).effectsUnknown, 1);
});
