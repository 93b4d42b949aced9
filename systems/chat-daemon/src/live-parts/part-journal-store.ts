/** Kept parts. Written as one statement for all episodes of a server. */
import { MESSAGE_ROLES, MessagePart } from "@atelier/contract/chat/message-part";
import type { Database, Sql } from "@atelier/database/database";
import { runTextStatement } from "@atelier/database/text-statement";
import { sql } from "kysely";
import { z } from "zod";
import type { EpisodeId } from "./part-buffer.ts";
import type { JournalEntry } from "./part-journal.ts";

const StoredParts = z.array(z.tuple([z.enum(MESSAGE_ROLES), MessagePart]));

/**
 * Answers one row whatever it writes: a row for each entry would cost the server more than the write. The
 * numbers come only when some entries were not written.
 */
const insert = (more = ""): string => `with given as (
      select entries.* from rows from (jsonb_to_recordset($1::jsonb) as (
          chat_id uuid, history_version bigint, generation_attempt bigint, first_seq bigint, parts jsonb))
        with ordinality as entries
          (chat_id, history_version, generation_attempt, first_seq, parts, number)
      where $3::uuid is null or exists (
        select from chats where chats.id = entries.chat_id and chats.worker_id = $3::uuid
          and chats.history_version = entries.history_version
          and chats.generation_attempt = entries.generation_attempt)),
    inserted as (
      insert into chat_message_parts
        (chat_id, history_version, generation_attempt, first_seq, parts, created_at)
      select chat_id, history_version, generation_attempt, first_seq, parts, $2::timestamptz
      from given)
    select case when count(*) < jsonb_array_length($1::jsonb)
      then coalesce(json_agg(number), '[]') end as numbers${more}
    from given`;

const INSERT = { name: "insert_chat_message_parts", text: insert() };
const INSERT_SOONER = {
  name: "insert_chat_message_parts_sooner",
  text: insert(", set_config('synchronous_commit', 'off', true)"),
};

/**
 * Returns those that were written: not what a server writes that has lost the chat, because its successor
 * has read already. `workerId` null: whoever has it. `isFlushed` false: everybody can read them then, and the
 * database's log is on its disk with the next write that waits for that, or within `wal_writer_delay` or three.
 */
export async function insertParts(
  { pool }: Pick<Database, "pool">,
  entries: readonly JournalEntry[],
  {
    at,
    workerId,
    isFlushed,
  }: { readonly at: Date; readonly workerId: string | null; readonly isFlushed: boolean },
): Promise<readonly JournalEntry[]> {
  const json = JSON.stringify(
    entries.map(({ id, firstSeq, parts }) => ({
      chat_id: id.chatId,
      history_version: id.historyVersion,
      generation_attempt: id.generationAttempt,
      first_seq: firstSeq,
      parts: parts.map(({ role, part }) => [role, part]),
    })),
  );
  const values = [json, at.toISOString(), workerId];
  const statement = isFlushed ? INSERT : INSERT_SOONER;
  const [row] = await runTextStatement(pool, statement, values);
  // From 1. Null: all of them.
  const numbers = row?.[0] ?? null;
  if (numbers === null) return entries;
  const written = new Set(JSON.parse(numbers) as number[]);
  return entries.filter((_entry, index) => written.has(index + 1));
}

/** Entries that begin at `fromSeq` or behind it: readers take whole entries. */
export async function listParts(
  db: Sql,
  id: EpisodeId,
  fromSeq: number,
): Promise<readonly JournalEntry[]> {
  const rows = await db
    .selectFrom("chat_message_parts")
    .select(["first_seq", "parts"])
    .where("chat_id", "=", id.chatId)
    .where("history_version", "=", id.historyVersion)
    .where("generation_attempt", "=", id.generationAttempt)
    .where("first_seq", ">=", fromSeq)
    .orderBy("first_seq")
    .execute();
  return rows.map(({ first_seq: firstSeq, parts }) => ({
    id,
    firstSeq,
    parts: StoredParts.parse(parts).map(([role, part], index) => ({
      seq: firstSeq + index,
      role,
      part,
    })),
  }));
}

export async function ensureHours(db: Sql, from: Date, count: number): Promise<void> {
  await sql`select ensure_chat_part_partitions(${from}, ${count})`.execute(db);
}

/** Drops the partitions of hours that ended before, and old rows outside of partitions. */
export async function dropHoursBefore(db: Sql, before: Date): Promise<number> {
  const { rows } = await sql<{ name: string }>`
    select inhrelid::regclass::text as name from pg_inherits
    where inhparent = 'chat_message_parts'::regclass`.execute(db);
  const oldest = before.toISOString().replaceAll(/[-T:]/g, "").slice(0, 10);
  let count = 0;
  for (const { name } of rows) {
    const hour = /^chat_message_parts_(\d{10})$/.exec(name)?.[1];
    // Hours sort as text. The hour of `before` itself has not ended then.
    if (hour === undefined || hour >= oldest) continue;
    await sql`drop table if exists ${sql.table(name)}`.execute(db);
    count += 1;
  }
  await db.deleteFrom("chat_message_parts").where("created_at", "<", before).execute();
  return count;
}
