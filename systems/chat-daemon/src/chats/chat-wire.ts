/** Chats, messages and queued messages as clients see them. */
import { forClients } from "@atelier/contract/chat/message-part";
import type {
  Chat,
  ChatAction,
  ChatFile,
  ChatMessage,
  ChatQueuedMessage,
} from "@atelier/contract/http/chats";
import type { QueuedMessage, UserMessage } from "../state/chat-row.ts";
import { given } from "../state/wire-message.ts";
import type { FileFacts, ShownAction, ShownChat } from "./shown-chat.ts";

export function toWireChat(
  chat: ShownChat,
  children: readonly ShownChat[],
  ownerUsername: string | undefined,
): Chat {
  return {
    ...fieldsOf(chat, ownerUsername),
    children: children.map((child) => ({ ...fieldsOf(child, ownerUsername), children: [] })),
  };
}

function fieldsOf(chat: ShownChat, ownerUsername: string | undefined): Omit<Chat, "children"> {
  return {
    id: chat.id,
    organization_id: chat.organizationId,
    owner_id: chat.ownerId,
    ...given("owner_username", ownerUsername),
    ...given("workspace_id", chat.workspaceId),
    ...given("agent_id", chat.agentId),
    ...given("parent_chat_id", chat.parentChatId),
    ...given("root_chat_id", chat.rootChatId),
    last_model_config_id: chat.lastModelConfigId,
    ...given("last_reasoning_effort", chat.lastReasoningEffort),
    title: chat.title,
    status: chat.status,
    ...given("mode", chat.mode),
    ...given("plan_mode", chat.planMode),
    ...given("last_error", chat.lastError),
    last_turn_summary: chat.lastTurnSummary,
    created_at: chat.createdAt.toISOString(),
    updated_at: chat.updatedAt.toISOString(),
    archived: chat.archived,
    shared: chat.isShared,
    pin_order: chat.pinOrder,
    mcp_server_ids: [...chat.mcpServerIds],
    labels: { ...chat.labels },
    has_unread: chat.hasUnread,
    client_type: chat.clientType,
    ...given("turn_message_id", chat.turnMessageId),
    queue_length: chat.queueLength,
    inbox_section: chat.inboxSection,
    inbox_since: chat.inboxSince.toISOString(),
    ...given("asks", chat.asks),
    ...given("last_action", chat.lastAction === null ? null : toWireAction(chat.lastAction)),
    ...given("retry", chat.retry),
    ...given("context_tokens", chat.contextTokens),
    ...given("context_limit", chat.contextLimit),
    ...given("diff_status", chat.diffStatus),
  };
}

function toWireAction({ toolName, subject, at, isDone }: ShownAction): ChatAction {
  return { ...given("tool_name", toolName), subject, at: at.toISOString(), is_done: isDone };
}

export function toWireFile(file: FileFacts): ChatFile {
  return {
    id: file.id,
    owner_id: file.ownerId,
    organization_id: file.organizationId,
    name: file.name,
    mime_type: file.mediaType,
    size_bytes: file.sizeBytes,
    created_at: file.createdAt.toISOString(),
  };
}

/** What a person sends, without what only the database knows of it once it is in the history. */
export type WireEntering = Omit<ChatMessage, "id" | "created_at" | "model_config_id">;

export function toWireEntering(chatId: string, message: UserMessage): WireEntering {
  const { createdBy, content } = message;
  return { chat_id: chatId, created_by: createdBy, role: "user", content: content.map(forClients) };
}

export function toWireQueued(queued: QueuedMessage): ChatQueuedMessage {
  return {
    id: queued.id,
    chat_id: queued.chatId,
    ...given("model_config_id", queued.modelConfigId),
    content: queued.content.map(forClients),
    created_at: queued.createdAt.toISOString(),
  };
}
