/** Whose chat a path names: what decides who may see it. */
import type { Sql } from "@atelier/database/database";

/** Undefined: there is no such chat. */
export async function findChatOwner(db: Sql, chatId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("chats")
    .select("owner_id")
    .where("id", "=", chatId)
    .executeTakeFirst();
  return row?.owner_id;
}
