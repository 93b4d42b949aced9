/** With whom chats are shared, in Postgres. Only roots have readers: children are read with theirs. */
import { CHAT_ACCESS_CHANGED } from "@atelier/contract/rpc/chat-service";
import type { Sql } from "@atelier/database/database";
import { publish } from "@atelier/database/pub-sub";
import { sql } from "kysely";

/** Of the chat or, if it is a child, of its root. */
export async function isReader(db: Sql, chatId: string, userId: string): Promise<boolean> {
  const { rows } = await sql`
    select from chats c
    join chat_readers r on r.chat_id = coalesce(c.root_chat_id, c.id)
    where c.id = ${chatId} and r.user_id = ${userId}`.execute(db);
  return rows.length > 0;
}

/** Ids, of the chat or, if it is a child, of its root. */
export async function listReaders(db: Sql, chatId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select r.user_id as id from chats c
    join chat_readers r on r.chat_id = coalesce(c.root_chat_id, c.id)
    where c.id = ${chatId} order by r.user_id`.execute(db);
  return rows.map(({ id }) => id);
}

export type SharedRoot = {
  readonly ownerId: string;
  readonly title: string;
  readonly isRoot: boolean;
};

/** Changes of one chat's readers wait for each other; its messages do not wait for them. */
export async function lockShared(db: Sql, chatId: string): Promise<SharedRoot | undefined> {
  await sql`select pg_advisory_xact_lock(hashtextextended('chat readers ' || ${chatId}, 0))`.execute(
    db,
  );
  const { rows } = await sql<SharedRoot>`
    select owner_id as "ownerId", title, parent_chat_id is null as "isRoot"
    from chats where id = ${chatId}`.execute(db);
  return rows[0];
}

/** Whoever holds a stream of the chat is looked at anew when the transaction commits. */
export async function changeReaders(
  db: Sql,
  chatId: string,
  change: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly at: Date;
  },
): Promise<void> {
  await sql`
    insert into chat_readers (chat_id, user_id, shared_at)
    select ${chatId}, id, ${change.at} from unnest(${change.added}::uuid[]) added (id)
    on conflict do nothing`.execute(db);
  await sql`
    delete from chat_readers
    where chat_id = ${chatId} and user_id = any(${change.removed}::uuid[])`.execute(db);
  await publish(db, CHAT_ACCESS_CHANGED, chatId);
}
