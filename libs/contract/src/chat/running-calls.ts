/** What an agent is doing, as each who shows a chat derives it from what it holds. */
import type { ChatView } from "./chat-view.ts";
import type { ToolCallPart } from "./message-part.ts";

/** Calls of the last answer, and of that which is being written, that have no result yet. */
export function runningCalls(view: ChatView): readonly ToolCallPart[] {
  const answer = view.messages.findLastIndex(({ role }) => role === "assistant" || role === "user");
  const parts = [
    ...view.messages.slice(Math.max(0, answer)).flatMap(({ content }) => content),
    ...(view.preview?.parts ?? []),
  ];
  const calls = new Map<string, ToolCallPart>();
  for (const part of parts) {
    if (part.type === "tool-call") calls.set(part.tool_call_id, part);
    if (part.type === "tool-result" && part.result_delta === undefined) {
      calls.delete(part.tool_call_id);
    }
  }
  return [...calls.values()];
}
