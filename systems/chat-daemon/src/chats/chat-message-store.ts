/** Messages of a chat as people read them: visible ones, by pages. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import {
  MESSAGE_COLUMNS,
  toStoredMessage,
  type MessageDatabaseRow,
} from "../state/message-store.ts";
import type { StoredMessage } from "../state/chat-row.ts";

export type MessagePage = {
  readonly limit: number;
  readonly beforeId: number | null;
  readonly afterId: number | null;
};

/** The latest first; the oldest first where only `afterId` is given. One more than the limit: more follow. */
export async function listVisibleMessages(
  db: Sql,
  chatId: string,
  { limit, beforeId, afterId }: MessagePage,
): Promise<readonly StoredMessage[]> {
  const isAscending = beforeId === null && afterId !== null;
  const { rows } = await sql<MessageDatabaseRow>`
    select ${MESSAGE_COLUMNS} from chat_messages
    where chat_id = ${chatId} and not deleted and visibility <> 'model'
      and id > ${afterId ?? 0} ${beforeId === null ? sql`` : sql`and id < ${beforeId}`}
    order by id ${isAscending ? sql`` : sql`desc`} limit ${limit + 1}`.execute(db);
  return rows.map(toStoredMessage);
}

/** Texts that people wrote, the latest first. */
export async function listPrompts(
  db: Sql,
  chatId: string,
  limit: number,
): Promise<readonly { readonly id: number; readonly text: string }[]> {
  const { rows } = await sql<{ id: number; text: string }>`
    select m.id, (
      select string_agg(part ->> 'text', '' order by n)
      from jsonb_array_elements(m.content) with ordinality parts (part, n)
      where part ->> 'type' = 'text'
    ) as text
    from chat_messages m
    where m.chat_id = ${chatId} and m.role = 'user' and not m.deleted and m.visibility <> 'model'
      and exists (
        select from jsonb_array_elements(m.content) part
        where part ->> 'type' = 'text' and btrim(part ->> 'text') <> '')
    order by m.id desc limit ${limit}`.execute(db);
  return rows;
}

/** Answers of models in the history of the chat and its children, deleted ones too. */
export async function countSteps(db: Sql, rootChatId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count
    from chat_messages m join chats c on c.id = m.chat_id
    where (c.id = ${rootChatId} or c.root_chat_id = ${rootChatId})
      and m.role = 'assistant' and m.total_tokens is not null`.execute(db);
  return rows[0]?.count ?? 0;
}
