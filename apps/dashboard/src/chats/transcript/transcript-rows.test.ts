import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { ChatMessage } from "@atelier/contract/http/chats";
import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN_SEND } from "../composer/send-input.ts";
import {
  openRequestKey,
  rowsOfMessages,
  withPreview,
  withTail,
  type Row,
} from "./transcript-rows.ts";

const CHAT = "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c";
const TIME = "2026-01-01T00:00:00.000Z";

const message = (
  id: number,
  role: ChatMessage["role"],
  content: MessagePart[],
  usage?: ChatMessage["usage"],
): ChatMessage => ({
  ...{ id, chat_id: CHAT, created_at: TIME, role, content },
  ...(usage === undefined ? {} : { usage }),
});
const text = (words: string): MessagePart => ({ type: "text", text: words });
const call = (id: string, name: string, args: unknown = {}): MessagePart => ({
  ...{ type: "tool-call", tool_call_id: id, tool_name: name, args },
});
const result = (id: string, name: string, value: unknown = {}): MessagePart => ({
  ...{ type: "tool-result", tool_call_id: id, tool_name: name, result: value },
});
const rowsOf = (...messages: ChatMessage[]): readonly Row[] => rowsOfMessages(messages).rows;
const shape = (rows: readonly Row[]): readonly string[] =>
  rows.map((row) =>
    row.kind === "tool" || row.kind === "mark"
      ? `${row.kind} ${row.kind === "tool" ? row.result !== null : row.tool.result !== null}`
      : row.kind,
  );
const preview = (...parts: MessagePart[]) => ({
  ...{ historyVersion: 1, generationAttempt: 1, seq: 1, parts },
});

test("calls and their results are one row, where the call stands", () => {
  const rows = rowsOf(
    message(1, "user", [text("Do it.")]),
    message(2, "assistant", [text("Yes."), call("a", "execute"), call("b", "read_file")], {
      input_tokens: 5,
    }),
    message(3, "tool", [result("b", "read_file"), result("a", "execute")]),
    message(4, "assistant", [text("Done.")]),
  );
  assert.deepEqual(shape(rows), ["prompt", "text", "tool true", "tool true", "usage", "text"]);
});

test("an id that comes again belongs to the last call that has it", () => {
  const rows = rowsOf(
    message(1, "assistant", [call("0", "execute")]),
    message(2, "tool", [result("0", "execute", { n: 1 })]),
    message(3, "assistant", [call("0", "execute")]),
    message(4, "tool", [result("0", "execute", { n: 2 })]),
  );
  const results = rows.map((row) => row.kind === "tool" && row.result?.result);
  assert.deepEqual(results, [{ n: 1 }, { n: 2 }]);
});

test("a result whose call is not here yet is a row of its own, and joins it later", () => {
  const later = message(3, "tool", [result("a", "execute")]);
  assert.deepEqual(shape(rowsOf(later)), ["tool true"]);
  const earlier = message(2, "assistant", [call("a", "execute")]);
  assert.deepEqual(shape(rowsOf(earlier, later)), ["tool true"]);
});

test("the answer that is being written keeps its rows when it becomes a message", () => {
  const before = rowsOfMessages([message(1, "user", [text("Do it.")])]);
  const parts = [text("Yes."), call("a", "execute")];
  const written = withPreview(before, preview(...parts));
  const committed = rowsOf(
    message(1, "user", [text("Do it.")]),
    message(7, "assistant", parts, { input_tokens: 5 }),
  );
  assert.deepEqual(
    written.map(({ key }) => key),
    committed.map(({ key }) => key).slice(0, written.length),
  );
});

test("what a running tool writes is shown in its call's row; other rows stay the same objects", () => {
  const before = rowsOfMessages([
    message(1, "user", [text("Do it.")]),
    message(2, "assistant", [call("a", "advisor")]),
  ]);
  const part: MessagePart = {
    ...result("a", "advisor", null),
    result_delta: "so far",
  } as MessagePart;
  const rows = withPreview(before, preview(part));
  assert.equal(rows.length, 2);
  assert.equal(rows[0], before.rows[0]);
  assert.equal(rows[1]?.kind === "tool" && rows[1].result?.result_delta, "so far");
  assert.equal(before.rows[1]?.kind === "tool" && before.rows[1].result, null);
});

test("summaries and cleared contexts are marks, not tools", () => {
  const rows = rowsOf(
    message(1, "assistant", [call("s", "chat_summarized")]),
    message(2, "tool", [result("s", "chat_summarized", { summary: "short" })]),
    message(3, "assistant", [call("c", "chat_cleared")]),
    message(4, "tool", [result("c", "chat_cleared")]),
  );
  assert.deepEqual(shape(rows), ["mark true", "mark true"]);
});

test("a plan's file is shown by its card alone; other files stand for themselves", () => {
  const id = "11111111-1111-4111-8111-111111111111";
  const other = "22222222-2222-4222-8222-222222222222";
  const file = (fileId: string): MessagePart => ({
    ...{ type: "file", media_type: "text/markdown", file_id: fileId, name: "x.md" },
  });
  const rows = rowsOf(
    message(1, "assistant", [call("p", "propose_plan")]),
    message(2, "tool", [result("p", "propose_plan", { file_id: id }), file(id), file(other)]),
  );
  assert.deepEqual(shape(rows), ["tool true", "file"]);
});

test("a question waits until the person has written something", () => {
  const asked = [
    message(1, "user", [text("Do it.")]),
    message(2, "assistant", [call("q", "ask_user_question")]),
    message(3, "tool", [result("q", "ask_user_question")]),
  ];
  const open = rowsOf(...asked);
  assert.equal(openRequestKey(open), open[1]?.key);
  assert.equal(openRequestKey(rowsOf(...asked, message(4, "user", [text("Red")]))), null);
  assert.equal(openRequestKey(rowsOf(...asked.slice(0, 2))), null, "the call is not done yet");
});

test("behind all messages stand those on their way, but not those that failed or wait", () => {
  const input = { ...PLAIN_SEND, text: "x" };
  const since = { messageId: 0, queuedId: 0 };
  const outgoing = [
    { key: "a", input, state: { kind: "sending", since, toldAs: null } },
    { key: "told", input, state: { kind: "sending", since, toldAs: "message 8" } },
    { key: "b", input, state: { kind: "failed", reason: "no" } },
    { key: "c", input, state: { kind: "arrived", messageId: null, queuedId: 4 } },
    { key: "d", input, state: { kind: "arrived", messageId: 9, queuedId: null } },
  ] as const;
  const rows = withTail([], { outgoing, error: { message: "It broke.", retryable: false } });
  assert.deepEqual(
    rows.map(({ key }) => key),
    ["failure", "outgoing a", "outgoing d"],
  );
});
