/** Whose chat a path names, and whether it is shared with who asks: what decides who may see it. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import type { ChatSubject } from "./actor.ts";

/** Of the chat `c`. Children are shared with their root. */
export function isSharedWithText(userId: string): string {
  return `exists (
    select from chat_readers r
    where r.chat_id = coalesce(c.root_chat_id, c.id) and r.user_id = ${userId}
  )`;
}

/** Undefined: there is no such chat. */
export async function findChatSubject(
  db: Sql,
  chatId: string,
  userId: string,
): Promise<ChatSubject | undefined> {
  const { rows } = await sql<ChatSubject>`
    /* by key */ select c.owner_id as "ownerId", ${sql.raw(isSharedWithText("asked.user_id"))} as "isShared"
    from chats c cross join (select ${userId}::uuid as user_id) asked where c.id = ${chatId}`.execute(
    db,
  );
  return rows[0];
}
