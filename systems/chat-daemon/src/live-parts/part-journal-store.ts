/** Kept parts. Written as one statement for all episodes of a server. */
import { MESSAGE_ROLES, MessagePart } from "@atelier/contract/chat/message-part";
import type { Database, Sql } from "@atelier/database/database";
import { sql } from "kysely";
import { z } from "zod";
import type { EpisodeId } from "./part-buffer.ts";
import type { JournalEntry } from "./part-journal.ts";

const StoredParts = z.array(z.tuple([z.enum(MESSAGE_ROLES), MessagePart]));

const INSERT = {
  name: "insert_chat_message_parts",
  text: `insert into chat_message_parts
      (chat_id, history_version, generation_attempt, first_seq, parts, created_at)
    select entries.*, $6::timestamptz
    from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::jsonb[])
      as entries (chat_id, history_version, generation_attempt, first_seq, parts)
    where $7::uuid is null or exists (
      select from chats where chats.id = entries.chat_id and chats.worker_id = $7
        and chats.history_version = entries.history_version
        and chats.generation_attempt = entries.generation_attempt)
    returning chat_id, history_version, generation_attempt, first_seq`,
};

type InsertedRow = {
  readonly chat_id: string;
  readonly history_version: number;
  readonly generation_attempt: number;
  readonly first_seq: number;
};

/**
 * Returns those that were written: not what a server writes that has lost the chat, because its successor
 * has read already. `workerId` null: whoever has it.
 */
export async function insertParts(
  { pool }: Pick<Database, "pool">,
  entries: readonly JournalEntry[],
  { at, workerId }: { readonly at: Date; readonly workerId: string | null },
): Promise<readonly JournalEntry[]> {
  const columns: [string[], number[], number[], number[], string[]] = [[], [], [], [], []];
  for (const { id, firstSeq, parts } of entries) {
    columns[0].push(id.chatId);
    columns[1].push(id.historyVersion);
    columns[2].push(id.generationAttempt);
    columns[3].push(firstSeq);
    columns[4].push(JSON.stringify(parts.map(({ role, part }) => [role, part])));
  }
  const { rows } = await pool.query<InsertedRow>({ ...INSERT, values: [...columns, at, workerId] });
  const inserted = new Set(
    rows.map((row) =>
      [row.chat_id, row.history_version, row.generation_attempt, row.first_seq].join("/"),
    ),
  );
  return entries.filter(({ id, firstSeq }) =>
    inserted.has([id.chatId, id.historyVersion, id.generationAttempt, firstSeq].join("/")),
  );
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
