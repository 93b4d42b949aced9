/** The queue of a chat as people see it. */
import { MessagePart } from "@atelier/contract/chat/message-part";
import type { ChatQueuedMessage } from "@atelier/contract/http/chats";
import type { Sql } from "@atelier/database/database";
import { z } from "zod";

const Content = z.array(MessagePart);

export async function listQueue(db: Sql, chatId: string): Promise<ChatQueuedMessage[]> {
  const rows = await db
    .selectFrom("chat_queued_messages")
    .select(["id", "content", "model_config_id", "created_at"])
    .where("chat_id", "=", chatId)
    .orderBy("position")
    .orderBy("id")
    .execute();
  return rows.map((row) => ({
    id: row.id,
    chat_id: chatId,
    ...(row.model_config_id === null ? {} : { model_config_id: row.model_config_id }),
    content: Content.parse(row.content),
    created_at: row.created_at.toISOString(),
  }));
}
