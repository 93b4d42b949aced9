import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { HistoryMessage } from "./history-message.ts";
import { cancelledResult, openToolCalls, pendingDynamicCalls } from "./open-tool-calls.ts";

const call = (id: string, more: Partial<HistoryMessage> = {}, byProvider = false) =>
  message("assistant", more, {
    type: "tool-call",
    tool_call_id: id,
    tool_name: `tool of ${id}`,
    args: {},
    ...(byProvider ? { provider_executed: true } : {}),
  });
const result = (id: string) =>
  message("tool", {}, { type: "tool-result", tool_call_id: id, tool_name: "x", result: 1 });

function message(
  role: HistoryMessage["role"],
  more: Partial<HistoryMessage>,
  ...content: MessagePart[]
): HistoryMessage {
  return { role, content, visibility: "both", compressed: false, ...more };
}

test("a call is open until a result stands behind it", () => {
  for (const { messages, open } of [
    { messages: [], open: [] },
    { messages: [call("a"), call("b")], open: ["a", "b"] },
    { messages: [call("a"), call("b"), result("a")], open: ["b"] },
    { messages: [result("a"), call("a")], open: ["a"] },
    // Some providers count calls anew in each step.
    { messages: [call("a"), result("a"), call("b"), call("a")], open: ["b", "a"] },
    { messages: [call("a", {}, true), call("b")], open: ["b"] },
    { messages: [call("a", { visibility: "user" })], open: [] },
    {
      messages: [call("a"), message("user", { visibility: "model", compressed: true }), call("b")],
      open: ["b"],
    },
    { messages: [call("a"), call("b", { compressed: true })], open: ["a", "b"] },
  ] satisfies { messages: HistoryMessage[]; open: string[] }[]) {
    assert.deepEqual(
      openToolCalls(messages).map(({ toolCallId }) => toolCallId),
      open,
    );
  }
});

test("the client answers the calls of tools that it declared", () => {
  const open = openToolCalls([call("a"), call("b")]);
  assert.deepEqual(pendingDynamicCalls(open, [{ name: "tool of b" }, { name: "other" }]), [
    { toolCallId: "b", toolName: "tool of b" },
  ]);
  assert.deepEqual(pendingDynamicCalls(open, null), []);
});

test("a cancelled call has a result that is an error, of its own tool", () => {
  assert.deepEqual(cancelledResult({ toolCallId: "a", toolName: "execute" }, "too late"), {
    type: "tool-result",
    tool_call_id: "a",
    tool_name: "execute",
    result: { error: "too late" },
    is_error: true,
  });
});
