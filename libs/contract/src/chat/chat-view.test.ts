/** What a viewer holds after events, however they are cut and repeated. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  cursorOf,
  EMPTY_CHAT_VIEW,
  turnEnd,
  turnMessageId,
  withEvents,
  type ChatView,
} from "./chat-view.ts";
import type { MessagePart, MessageRole } from "./message-part.ts";
import type { ChatStreamEvent } from "./stream-event.ts";

const CHAT = "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c";
const TIME = "2026-01-01T00:00:00.000Z";
const LATER = "2026-01-01T00:00:05.000Z";

const about = { chat_id: CHAT };

function message(id: number, text: string, role: MessageRole = "assistant"): ChatStreamEvent {
  const content: MessagePart[] = [{ type: "text", text }];
  return {
    type: "message",
    ...about,
    message: { id, chat_id: CHAT, created_at: TIME, role, content },
  };
}

function part(seq: number, each: MessagePart, attempt = 1): ChatStreamEvent {
  const place = { history_version: 3, generation_attempt: attempt, seq };
  return {
    type: "message_part",
    ...about,
    message_part: { role: "assistant", part: each, ...place },
  };
}

const text = (seq: number, piece: string, attempt = 1): ChatStreamEvent =>
  part(seq, { type: "text", text: piece }, attempt);
const status = (each: NonNullable<ChatView["status"]>): ChatStreamEvent => ({
  type: "status",
  ...about,
  status: { status: each },
});

const told = (...events: ChatStreamEvent[]): ChatView => withEvents(EMPTY_CHAT_VIEW, events);
const partsOf = (view: ChatView): readonly MessagePart[] => view.preview?.parts ?? [];

test("messages are in their order, and one takes the place of that with its id", () => {
  const view = told(message(4, "d"), message(2, "b"), message(7, "g"), message(4, "D"));
  const texts = view.messages.map(({ id, content: [first] }) => [
    id,
    first?.type === "text" && first.text,
  ]);
  assert.deepEqual(texts, [
    [2, "b"],
    [4, "D"],
    [7, "g"],
  ]);
});

test("pieces of one text are one text, and a thought between them parts them", () => {
  const thought = (seq: number, more: object): ChatStreamEvent =>
    part(seq, { type: "reasoning", text: "hm", created_at: TIME, ...more });
  const view = told(
    text(1, "Hel"),
    text(2, "lo"),
    thought(3, {}),
    thought(4, {}),
    part(5, { type: "reasoning", text: "", created_at: TIME, completed_at: LATER }),
    thought(6, {}),
    text(7, "!"),
  );
  assert.deepEqual(partsOf(view), [
    { type: "text", text: "Hello" },
    { type: "reasoning", text: "hmhm", created_at: TIME, completed_at: LATER },
    { type: "reasoning", text: "hm", created_at: TIME },
    { type: "text", text: "!" },
  ]);
});

test("a thought that ends after the text began is finished where it stands", () => {
  const view = told(
    part(1, { type: "reasoning", text: "hm", created_at: TIME }),
    text(2, "Hi"),
    part(3, { type: "reasoning", text: "", created_at: TIME, completed_at: LATER }),
    text(4, "!"),
  );
  assert.deepEqual(partsOf(view), [
    { type: "reasoning", text: "hm", created_at: TIME, completed_at: LATER },
    { type: "text", text: "Hi!" },
  ]);
});

test("a call's arguments and a result's output grow until they are whole", () => {
  const call = { type: "tool-call", tool_call_id: "c", tool_name: "execute" } as const;
  const result = { type: "tool-result", tool_call_id: "c", tool_name: "execute" } as const;
  const growing = [
    part(1, { ...call, args: null, args_delta: '{"a"' }),
    part(2, { ...call, args: null, args_delta: ":1}" }),
    part(3, { ...result, result: null, result_delta: "one" }),
    part(4, { ...result, result: null, result_delta: "t", result_reset: true }),
    part(5, { ...result, result: null, result_delta: "wo" }),
  ];
  assert.deepEqual(partsOf(told(...growing)), [
    { ...call, args: null, args_delta: '{"a":1}' },
    { ...result, result: null, result_delta: "two" },
  ]);
  const whole = told(
    ...growing,
    part(6, { ...call, args: { a: 1 } }),
    part(7, { ...result, result: { success: true } }),
  );
  assert.deepEqual(partsOf(whole), [
    { ...call, args: { a: 1 } },
    { ...result, result: { success: true } },
  ]);
});

test("another attempt begins anew, and so does the answer after a reset", () => {
  const view = told(text(1, "no"), text(1, "yes", 2));
  assert.deepEqual(partsOf(view), [{ type: "text", text: "yes" }]);
  assert.equal(cursorOf(view).after_part, "3.2.1");
  assert.equal(withEvents(view, [{ type: "preview_reset", ...about }]).preview, null);
});

test("a turn has ended when its status and all that belongs to it are told", () => {
  const failure: ChatStreamEvent = {
    type: "error",
    ...about,
    error: { message: "It broke.", retryable: false },
  };
  const asked: ChatStreamEvent = {
    type: "action_required",
    ...about,
    action_required: { tool_calls: [] },
  };
  const rows = [
    [[], null],
    [[status("running")], null],
    [[status("interrupting")], null],
    [[status("waiting")], "done"],
    [[status("error")], null],
    [[status("error"), failure], "error"],
    [[status("requires_action")], null],
    [[status("requires_action"), asked], "requires_action"],
    [[status("error"), failure, status("running")], null],
  ] as const;
  for (const [events, end] of rows) assert.equal(turnEnd(told(...events)), end);
});

test("a turn is known by the message that it answers", () => {
  assert.equal(turnMessageId(told(status("running"))), undefined);
  const asked = [message(7, "again", "user"), message(4, "once", "user")];
  assert.equal(turnMessageId(told(...asked, message(9, "so"), message(10, "it", "tool"))), 7);
});

test("a retry counts until something happens", () => {
  const retry = { attempt: 1, delay_ms: 500, error: "It broke.", retrying_at: LATER };
  const waits: ChatStreamEvent = { type: "retry", ...about, retry };
  assert.deepEqual(told(status("running"), waits).retry, retry);
  assert.equal(told(waits, text(1, "a")).retry, null);
  assert.equal(told(waits, message(1, "a")).retry, null);
  assert.equal(told(waits, status("waiting")).retry, null);
});

test("after a cut, what comes behind the cursor, or from before it, gives the same view", () => {
  const words = fc.array(fc.string({ minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(words, fc.nat(), fc.nat(), (pieces, cutAt, backBy) => {
      const events = pieces.map((piece, index) => text(index + 1, piece));
      const cut = cutAt % (events.length + 1);
      const from = Math.max(0, cut - backBy);
      const held = withEvents(EMPTY_CHAT_VIEW, events.slice(0, cut));
      assert.deepEqual(withEvents(held, events.slice(from)), told(...events));
      const cursor = cursorOf(held).after_part;
      assert.equal(cursor, cut === 0 ? undefined : `3.1.${cut}`);
    }),
  );
});

test("a view that was given stays as it is", () => {
  const view = told(message(1, "a"), text(1, "b"));
  const before = structuredClone(view);
  withEvents(view, [message(1, "c"), text(2, "d"), status("waiting")]);
  assert.deepEqual(view, before);
});
