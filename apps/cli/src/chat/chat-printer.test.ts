/** What is printed of a chat: each word once, however it came. */
import assert from "node:assert/strict";
import test from "node:test";
import { EMPTY_CHAT_VIEW, withEvent, type ChatView } from "@atelier/contract/chat/chat-view";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { ChatMessage } from "@atelier/contract/http/chats";
import fc from "fast-check";
import picocolors from "picocolors";
import { ChatPrinter } from "./chat-printer.ts";
import { plainScreen } from "./chat-screen.ts";

const CHAT = "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c";
const TIME = "2026-01-01T00:00:00.000Z";
const LATER = "2026-01-01T00:00:02.500Z";
const LOOK = { columns: null, colors: picocolors.createColors(false), now: new Date(TIME) };
const about = { chat_id: CHAT };

export function message(id: number, role: ChatMessage["role"], ...content: MessagePart[]) {
  const body = { id, chat_id: CHAT, created_at: TIME, role, content };
  return { type: "message", ...about, message: body } satisfies ChatStreamEvent;
}

export function part(seq: number, each: MessagePart, attempt = 1): ChatStreamEvent {
  const role = each.type === "tool-result" ? "tool" : "assistant";
  const place = { history_version: 3, generation_attempt: attempt, seq };
  return { type: "message_part", ...about, message_part: { role, part: each, ...place } };
}

const text = (each: string): MessagePart => ({ type: "text", text: each });
const RESET: ChatStreamEvent = { type: "preview_reset", ...about };
const status = (each: NonNullable<ChatView["status"]>): ChatStreamEvent => ({
  type: "status",
  ...about,
  status: { status: each },
});

function printed(events: readonly ChatStreamEvent[], printer = new ChatPrinter(LOOK)): string {
  let out = "";
  const add = (more: string): void => {
    out += more;
  };
  const screen = plainScreen(add, add);
  let view = EMPTY_CHAT_VIEW;
  for (const event of events) {
    const before = view;
    view = withEvent(view, event);
    screen.print(printer.take(before, view, event));
  }
  screen.close();
  return out;
}

test("a text is printed as it comes, and once, whatever of it was seen when it is stored", () => {
  const pieces = fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(pieces, fc.nat(), (words, seenAt) => {
      const seen = seenAt % (words.length + 1);
      const whole = words.join("");
      fc.pre(whole.trim() !== "");
      const live = words.slice(0, seen).map((word, index) => part(index + 1, text(word)));
      const stored = printed([...live, message(5, "assistant", text(whole)), RESET]);
      assert.equal(stored, printed([message(5, "assistant", text(whole))]));
    }),
  );
});

test("a character whose halves come in two pieces is one character", () => {
  const [high, low] = ["\ud83d", "\ude00"];
  const events = [part(1, text(`a${high}`)), part(2, text(`${low}\r`)), part(3, text("\nb"))];
  assert.equal(printed(events), "a\u{1f600}\nb\n");
});

test("what a model writes does nothing to the terminal", () => {
  const evil = "a\u001b[2Jb\u0007c\u202ed\te\nf\u009bx";
  assert.equal(printed([part(1, text(evil))]), "a\ufffd[2Jb\ufffdc\ufffdd\te\nf\ufffdx\n");
  const call: MessagePart = {
    ...{ type: "tool-call", tool_call_id: "c", tool_name: "execute" },
    args: { command: "printf '\u001b[2J'\nls" },
  };
  const result: MessagePart = {
    ...{ type: "tool-result", tool_call_id: "c", tool_name: "execute" },
    result: { success: false, exit_code: 1, error: "no\u001b[2J", wall_duration_ms: 1_200 },
  };
  assert.equal(
    printed([part(1, call), part(2, result)]),
    "✗ execute  printf '\ufffd[2J' ls  1.2s, exit 1, no\ufffd[2J\n",
  );
});

test("what the model says a call is for is its headline", () => {
  const line = (tool_name: string, args: object): string => {
    const ids = { tool_call_id: "c", tool_name };
    const done = { type: "tool-result", ...ids, result: "ok" } as const;
    return printed([part(1, { type: "tool-call", ...ids, args }), part(2, done)]);
  };
  const intent = { model_intent: "running the\u001b tests" };
  assert.equal(
    line("execute", { ...intent, command: "npm test" }),
    "✓ Running the\ufffd tests  npm test\n",
  );
  const asked = { ...intent, year: 2026 };
  assert.equal(line("wiki__days", asked), '✓ Running the\ufffd tests  wiki__days  {"year":2026}\n');
  assert.equal(line("wiki__days", { year: 2026 }), '✓ wiki__days  {"year":2026}\n');
});

test("a blank thought that is not stored does not make the text come twice", () => {
  const events = [
    part(1, { type: "reasoning", text: " ", created_at: TIME }),
    part(2, text("Hel")),
    message(5, "assistant", text("Hello")),
    RESET,
  ];
  assert.equal(printed(events), "Hello\n");
});

test("an attempt that broke off is marked, and the next one printed whole", () => {
  const events = [
    part(1, text("Hel")),
    RESET,
    part(1, text("Hello "), 2),
    part(2, text("you"), 2),
    message(5, "assistant", text("Hello you")),
    RESET,
  ];
  const mark = "── This attempt broke off; the answer begins anew.";
  assert.equal(printed(events), `Hel\n${mark}\nHello you\n`);
});

test("a thought is one line with its time, once", () => {
  const thought = { type: "reasoning", text: "I look.\nThen I see.", created_at: TIME } as const;
  const ended = { ...thought, completed_at: LATER };
  const events = [
    part(1, thought),
    part(2, { ...ended, text: "" }),
    part(3, text("Yes")),
    message(5, "assistant", ended, text("Yes")),
    RESET,
  ];
  assert.equal(printed(events), "· Thought for 2.5s: I look.\nYes\n");
});

test("a tool's line comes with its result, once, and again where an id comes again", () => {
  const call = (path: string): MessagePart => ({
    ...{ type: "tool-call", tool_call_id: "c", tool_name: "read_file", args: { path } },
    created_at: TIME,
  });
  const result: MessagePart = {
    ...{ type: "tool-result", tool_call_id: "c", tool_name: "read_file", result: { content: "" } },
    created_at: LATER,
  };
  const events = [
    part(1, call("a")),
    message(5, "assistant", call("a")),
    RESET,
    part(1, result, 2),
    message(6, "tool", result),
    RESET,
    message(7, "assistant", call("b")),
    message(8, "tool", result),
  ];
  assert.equal(printed(events), "✓ read_file  a  2.5s\n✓ read_file  b  2.5s\n");
});

test("messages of others are printed, one's own is not, nor what came before", () => {
  const printer = new ChatPrinter(LOOK, 3);
  printer.hideOnce("mine");
  const user = (id: number, each: string): ChatStreamEvent => message(id, "user", text(each));
  const events = [user(2, "old"), user(4, "mine"), user(5, "mine"), user(6, "a\nb")];
  assert.equal(printed(events, printer), "› mine\n› a\n  b\n");
});

test("after the history was changed, only what is new is printed", () => {
  const [first, answer] = [message(1, "user", text("a")), message(2, "assistant", text("b"))];
  const events = [
    first,
    answer,
    { type: "history_reset", ...about } as const,
    first,
    message(4, "assistant", text("c")),
  ];
  assert.equal(printed(events), "› a\nb\n── The history was changed.\nc\n");
});

test("errors, retries, the queue, marks, questions and interruptions are lines", () => {
  const queued = (id: number, each: string) => ({
    ...{ id, chat_id: CHAT, created_at: TIME },
    content: [text(each)],
  });
  const queue = (...queued_messages: ReturnType<typeof queued>[]): ChatStreamEvent => ({
    ...{ type: "queue_update", ...about, queued_messages },
  });
  const retry = { attempt: 1, delay_ms: 2_000, error: "It is overloaded.", retrying_at: LATER };
  const mark = (name: string, result: unknown): MessagePart => ({
    ...{ type: "tool-result", tool_call_id: name, tool_name: name, result },
  });
  const error = { message: "No key.", kind: "missing_key", retryable: false } as const;
  const question: MessagePart = {
    ...{ type: "tool-call", tool_call_id: "q", tool_name: "ask_user_question" },
    args: { questions: [{ question: "Which?", options: [{ label: "A", description: "first" }] }] },
  };
  const rows: readonly (readonly [readonly ChatStreamEvent[], string])[] = [
    [
      [{ type: "retry", ...about, retry }],
      "Attempt 1 failed: It is overloaded. The next one is in 2.0s.\n",
    ],
    [[queue(queued(7, "a"))], "Queued #7: a\n"],
    [[queue(queued(7, "a")), queue(queued(7, "b"))], "Queued #7: a\nChanged in the queue #7: b\n"],
    [[queue(queued(7, "a")), queue()], "Queued #7: a\n"],
    [[status("interrupting"), status("waiting")], "Interrupted.\n"],
    [[status("running"), status("waiting")], ""],
    [[message(1, "tool", mark("chat_cleared", {}))], "── The context is empty from here on.\n"],
    [
      [message(1, "tool", mark("chat_summarized", { usage_percent: 91.2, context_tokens: 9 }))],
      "── The history so far is summed up (it took 91.2% of the context, 9 tokens).\n",
    ],
    [
      [{ type: "error", ...about, error }],
      "Error: No key. (missing_key)\n  Add a key of your own with `atelier ai keys set`, or use another model.\n",
    ],
    [
      [message(1, "assistant", question), message(2, "tool", mark("q", {}))],
      "✓ ask_user_question\n? Which?\n?   - A: first\n",
    ],
    [
      [
        {
          ...{ type: "action_required", ...about },
          action_required: {
            tool_calls: [{ tool_call_id: "c", tool_name: "mine", args: { a: 1 } }],
          },
        },
      ],
      'The chat waits for the results of its client\'s own tools:\n  mine {"a":1}\n',
    ],
  ];
  for (const [events, want] of rows) assert.equal(printed(events), want);
});
