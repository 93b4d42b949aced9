/** The words of chats, in Postgres. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";

/** The latest messages of a chat whose words are found. What lies before is found by its title. */
const MESSAGES_MAX = 500;
/** A tsvector holds a megabyte at most, and of rare short words five times their letters. */
const LETTERS_MAX = 200_000;

/** Chats whose history is not the one whose words are known. */
export async function listUnread(db: Sql, max: number): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select c.id from chats c left join chat_words w on w.chat_id = c.id
    where w.history_version is distinct from c.history_version
    limit ${max}`.execute(db);
  return rows.map(({ id }) => id);
}

/** Of messages what people and models wrote: neither calls nor results, which are long and repeat files. */
export async function readWords(db: Sql, chatIds: readonly string[]): Promise<void> {
  await sql`
    insert into chat_words (chat_id, root_chat_id, history_version, words)
    select c.id, coalesce(c.root_chat_id, c.id), c.history_version,
      to_tsvector('english', left(coalesce((
        select string_agg(part ->> 'text', ' ' order by m.id desc)
        from (
          select id, content from chat_messages
          where chat_id = c.id and not deleted and visibility <> 'model'
            and role in ('user', 'assistant')
          order by id desc limit ${MESSAGES_MAX}
        ) m
        cross join jsonb_array_elements(m.content) part
        where part ->> 'type' = 'text'
      ), ''), ${LETTERS_MAX}))
    from chats c where c.id = any(${chatIds}::uuid[])
    on conflict (chat_id) do update
      set history_version = excluded.history_version, words = excluded.words`.execute(db);
}

/** False: another server is at it. Until the transaction ends. */
export async function lockWords(db: Sql): Promise<boolean> {
  const { rows } = await sql<{ isOurs: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended('chat words', 0)) as "isOurs"`.execute(db);
  return rows[0]?.isOurs ?? false;
}
