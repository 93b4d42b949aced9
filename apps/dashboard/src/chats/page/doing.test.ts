import { EMPTY_CHAT_VIEW, type ChatView } from "@atelier/contract/chat/chat-view";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import assert from "node:assert/strict";
import { test } from "node:test";
import { doingText, type DoingContext } from "./doing.ts";

const TIME = "2026-01-01T00:00:00.000Z";
const CHAT = "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c";
const CONTEXT: DoingContext = {
  now: new Date("2026-01-01T00:00:12.000Z"),
  isQueuedForCapacity: false,
  absentWorkspace: null,
  modelName: "Sonnet",
};
const command: MessagePart = {
  ...{ type: "tool-call", tool_call_id: "c", tool_name: "execute", created_at: TIME },
  args: { command: "npm test" },
};
const running = (over: Partial<ChatView>): ChatView => ({
  ...EMPTY_CHAT_VIEW,
  status: "running",
  messages: [
    {
      id: 1,
      chat_id: CHAT,
      created_at: TIME,
      role: "user",
      content: [{ type: "text", text: "x" }],
    },
  ],
  ...over,
});
const preview = (...parts: MessagePart[]): Partial<ChatView> => ({
  preview: { historyVersion: 1, generationAttempt: 1, seq: 1, parts },
});

test("a chat that works says at what, and for how long", () => {
  const retry = {
    ...{ attempt: 2, delay_ms: 8_000, error: "The provider is overloaded." },
    retrying_at: "2026-01-01T00:00:20.000Z",
  };
  const rows = [
    [running({}), "Waiting for Sonnet to begin, 12 s…"],
    [running({ retry }), "The provider is overloaded. Attempt 3 in 8 s…"],
    [running(preview({ type: "reasoning", text: "hm", created_at: TIME })), "Thinking, 12 s…"],
    [running(preview({ type: "text", text: "Yes" })), "Writing…"],
    [running(preview(command)), "Runs npm test, 12 s…"],
    [
      running(preview(command, { ...command, tool_call_id: "d" })),
      "Runs npm test, and 1 more, 12 s…",
    ],
    [running({ status: "interrupting" }), "Stopping…"],
    [running({ status: "waiting" }), null],
  ] as const;
  for (const [view, words] of rows) assert.equal(doingText(view, CONTEXT), words);
});

test("what it waits for is named: a place, a workspace, another program", () => {
  const queued = { ...CONTEXT, isQueuedForCapacity: true };
  assert.match(doingText(running({}), queued) ?? "", /free place/);
  const absent = { ...CONTEXT, absentWorkspace: "dev" };
  assert.equal(
    doingText(running(preview(command)), absent),
    "Waiting for the workspace dev, which is not connected, 12 s…",
  );
  const awaited = [{ tool_call_id: "c", tool_name: "browse", args: {} }];
  assert.equal(
    doingText(running({ status: "requires_action", awaited }), CONTEXT),
    "Waiting for another program to run browse.",
  );
});
