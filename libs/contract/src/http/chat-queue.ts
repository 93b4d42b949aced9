/** Messages that wait until their chat is free: spec agents 4.2. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { BEGINS, ChatContent, ChatMessage, ChatMessageId, ChatQueuedMessage } from "./chats.ts";
import { NoQuery } from "./common.ts";

const QueuedParams = z.strictObject({ chat: z.uuid(), queued: ChatMessageId });

export const deleteQueuedChatMessage = endpoint({
  tag: "chats",
  summary: "Take a message out of the queue",
  method: "DELETE",
  path: "/api/v2/chats/:chat/queue/:queued",
  aliases: ["/api/experimental/chats/:chat/queue/:queued"],
  access: "chat:update",
  params: QueuedParams,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: ["chat.state_conflict"],
  audit: { action: "write", resource: "chat" },
});

export const updateQueuedChatMessage = endpoint({
  tag: "chats",
  summary: "Change a queued message's text, or its place in the queue",
  method: "PATCH",
  path: "/api/v2/chats/:chat/queue/:queued",
  access: "chat:update",
  params: QueuedParams,
  query: NoQuery,
  body: z.strictObject({
    content: ChatContent.optional(),
    /** From 0. Behind the last: at the end. */
    index: z.int().min(0).optional(),
  }),
  success: { status: 200, body: ChatQueuedMessage },
  failures: ["chat.state_conflict"],
  audit: { action: "write", resource: "chat" },
});

export const promoteQueuedChatMessage = endpoint({
  tag: "chats",
  summary: "Let a queued message be the next; work under way is interrupted",
  method: "POST",
  path: "/api/v2/chats/:chat/queue/:queued/promote",
  aliases: ["/api/experimental/chats/:chat/queue/:queued/promote"],
  access: "chat:update",
  params: QueuedParams,
  query: NoQuery,
  body: null,
  /** Null: it is first in the queue, and becomes a message when the work has stopped. */
  success: { status: 200, body: z.object({ message: ChatMessage.nullable() }) },
  failures: [...BEGINS],
  audit: { action: "write", resource: "chat" },
});
