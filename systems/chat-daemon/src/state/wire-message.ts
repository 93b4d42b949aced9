/** A message of a history as clients see it. */
import { forClients } from "@atelier/contract/chat/message-part";
import type { ChatMessage, ChatUsage } from "@atelier/contract/http/chats";
import type { StepUsage, StoredMessage } from "./chat-row.ts";

export function toWireMessage(message: StoredMessage): ChatMessage {
  const usage = toWireUsage(message.usage);
  return {
    id: message.id,
    chat_id: message.chatId,
    ...given("created_by", message.createdBy),
    ...given("model_config_id", message.modelConfigId),
    created_at: message.createdAt.toISOString(),
    role: message.role,
    content: message.content.map(forClients),
    ...(Object.keys(usage).length === 0 ? {} : { usage }),
  };
}

function toWireUsage(usage: StepUsage): ChatUsage {
  return {
    ...given("input_tokens", usage.inputTokens),
    ...given("output_tokens", usage.outputTokens),
    ...given("total_tokens", usage.totalTokens),
    ...given("reasoning_tokens", usage.reasoningTokens),
    ...given("cache_creation_tokens", usage.cacheCreationTokens),
    ...given("cache_read_tokens", usage.cacheReadTokens),
    ...given("context_limit", usage.contextLimit),
  };
}

/** Absent where there is none: clients are not shown nulls. */
export function given<const Name extends string, Value>(
  name: Name,
  value: Value | null | undefined,
): { readonly [Key in Name]?: Value } {
  return value === null || value === undefined
    ? {}
    : ({ [name]: value } as { readonly [Key in Name]?: Value });
}
