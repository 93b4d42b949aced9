/**
 * Tool calls of a history that have no result yet. A model's provider refuses a history in which one
 * stays open, so whatever is put behind them has to answer them first (spec agents 2.5).
 */
import type { ToolResultPart } from "@atelier/contract/chat/message-part";
import { isBoundary, type HistoryMessage } from "./history-message.ts";

export type OpenToolCall = { readonly toolCallId: string; readonly toolName: string };

/**
 * In the order in which they were made. Not those that the provider runs itself, nor those that are
 * not sent any more. A call is closed by a result behind it: ids may come again in later steps.
 */
export function openToolCalls(messages: readonly HistoryMessage[]): readonly OpenToolCall[] {
  const open = new Map<string, OpenToolCall>();
  for (const message of messages) {
    if (isBoundary(message)) open.clear();
    if (message.visibility === "user") continue;
    for (const part of message.content) {
      if (part.type === "tool-call" && part.provider_executed !== true) {
        const { tool_call_id: toolCallId, tool_name: toolName } = part;
        open.delete(toolCallId);
        open.set(toolCallId, { toolCallId, toolName });
      }
      if (part.type === "tool-result") open.delete(part.tool_call_id);
    }
  }
  return [...open.values()];
}

/** Those that the chat's client answers, by tools that it declared. */
export function pendingDynamicCalls(
  open: readonly OpenToolCall[],
  dynamicTools: readonly { readonly name: string }[] | null,
): readonly OpenToolCall[] {
  const names = new Set(dynamicTools?.map(({ name }) => name));
  return open.filter(({ toolName }) => names.has(toolName));
}

/** The result of a call that nobody will answer. */
export function cancelledResult(call: OpenToolCall, reason: string): ToolResultPart {
  return {
    type: "tool-result",
    tool_call_id: call.toolCallId,
    tool_name: call.toolName,
    result: { error: reason },
    is_error: true,
  };
}
