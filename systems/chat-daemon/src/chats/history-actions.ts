/** What people read of a chat: its messages by pages, and what they wrote. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { ChatMessage, ChatQueuedMessage } from "@atelier/contract/http/chats";
import type { ChatDeps } from "./chat-deps.ts";
import { invalid } from "./chat-failures.ts";
import { listPrompts, listVisibleMessages, type MessagePage } from "./chat-message-store.ts";
import { toWireMessage } from "../state/wire-message.ts";
import { listQueue } from "./queue-store.ts";

export type MessageList = {
  readonly messages: ChatMessage[];
  /** Only of the first page. */
  readonly queued_messages: ChatQueuedMessage[];
  readonly has_more: boolean;
};

export async function showMessages(
  { database }: ChatDeps,
  chatId: string,
  page: MessagePage,
): Promise<Result<MessageList, Failure<"request.invalid">>> {
  const { beforeId, afterId, limit } = page;
  if (beforeId !== null && afterId !== null && afterId >= beforeId) {
    return fail(invalid("after_id", "Smaller than before_id."));
  }
  const isFirst = beforeId === null && afterId === null;
  return database.readOnlyTransaction(async (db) => {
    const found = await listVisibleMessages(db, chatId, page);
    return ok({
      messages: found.slice(0, limit).map(toWireMessage),
      queued_messages: isFirst ? await listQueue(db, chatId) : [],
      has_more: found.length > limit,
    });
  });
}

export async function showPrompts(
  { database }: ChatDeps,
  chatId: string,
  limit: number,
): Promise<{ id: number; text: string }[]> {
  return [...(await listPrompts(database.sql, chatId, limit))];
}
