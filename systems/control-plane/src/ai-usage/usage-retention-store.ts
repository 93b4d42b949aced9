/**
 * The storage of usage records as a whole: its monthly partitions, and what is too old. A month's
 * partitions of all tables go together, because children carry their interception's start.
 */
import type { Sql } from "@atelier/database/database";
import { sql as text } from "kysely";

const PARTITIONED = [
  "ai_interceptions",
  "ai_token_usages",
  "ai_user_prompts",
  "ai_tool_usages",
  "ai_model_thoughts",
] as const;

/** Makes what is missing. One at a time: making the same partition twice at once fails. */
export async function ensureUsagePartitions(
  sql: Sql,
  { first, last }: { readonly first: Date; readonly last: Date },
): Promise<void> {
  await text`select pg_advisory_xact_lock(hashtext('ai_usage partitions'))`.execute(sql);
  for (const parent of PARTITIONED) {
    await text`
      select ensure_month_partitions(${parent}, ${toDay(first)}::date, ${toDay(last)}::date)
    `.execute(sql);
  }
}

export type UsagePartition = {
  readonly name: string;
  /** Of its month, in UTC; the month after is the first that it does not hold. */
  readonly month: Date;
};

/** The monthly partitions that exist, the oldest first. */
export async function listUsagePartitions(sql: Sql): Promise<readonly UsagePartition[]> {
  const { rows } = await text<{ name: string }>`
    select c.relname as name
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    join pg_class p on p.oid = i.inhparent
    where p.relname = any(${PARTITIONED}) and c.relnamespace = current_schema()::regnamespace
    order by c.relname`.execute(sql);
  return rows
    .flatMap(({ name }) => {
      const match = /_(\d{4})_(\d{2})$/.exec(name);
      if (match === null) return [];
      return [{ name, month: new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, 1)) }];
    })
    .toSorted((a, b) => a.month.getTime() - b.month.getTime());
}

/** Gives up soon where somebody reads the table: everybody else would wait behind the two. */
export async function dropUsagePartitions(sql: Sql, names: readonly string[]): Promise<void> {
  await text`set local lock_timeout = '2s'`.execute(sql);
  for (const name of names) await text`drop table if exists ${text.id(name)}`.execute(sql);
}

/** Interceptions that began before the cutoff, the oldest first, with all that belongs to them. */
export async function deleteInterceptionsBefore(
  sql: Sql,
  { cutoff, limit }: { readonly cutoff: Date; readonly limit: number },
): Promise<number> {
  const { rows } = await text<{ deleted: number }>`
    with old as materialized (
      select id, started_at from ai_interceptions
      where started_at < ${cutoff}
      order by started_at
      limit ${limit}
      for update skip locked
    ), tokens as (
      delete from ai_token_usages t using old o
      where t.interception_id = o.id and t.started_at = o.started_at
    ), prompts as (
      delete from ai_user_prompts t using old o
      where t.interception_id = o.id and t.started_at = o.started_at
    ), tools as (
      delete from ai_tool_usages t using old o
      where t.interception_id = o.id and t.started_at = o.started_at
    ), thoughts as (
      delete from ai_model_thoughts t using old o
      where t.interception_id = o.id and t.started_at = o.started_at
    ), interceptions as (
      delete from ai_interceptions i using old o
      where i.id = o.id and i.started_at = o.started_at
      returning i.id
    )
    select count(*) as deleted from interceptions`.execute(sql);
  return rows[0]?.deleted ?? 0;
}

/** Sessions without activity since the cutoff. */
export async function deleteSessionsBefore(
  sql: Sql,
  { cutoff, limit }: { readonly cutoff: Date; readonly limit: number },
): Promise<number> {
  const { rows } = await text<{ deleted: number }>`
    with old as materialized (
      select initiator_id, session_id from ai_sessions
      where last_active_at < ${cutoff}
      order by last_active_at
      limit ${limit}
      for update skip locked
    ), sessions as (
      delete from ai_sessions s using old o
      where s.initiator_id = o.initiator_id and s.session_id = o.session_id
      returning s.session_id
    )
    select count(*) as deleted from sessions`.execute(sql);
  return rows[0]?.deleted ?? 0;
}

/** Sums of chats without activity since the cutoff. */
export async function deleteChatTotalsBefore(
  sql: Sql,
  { cutoff, limit }: { readonly cutoff: Date; readonly limit: number },
): Promise<number> {
  const { rows } = await text<{ deleted: number }>`
    with old as materialized (
      select initiator_id, session_id from ai_chat_totals
      where last_active_at < ${cutoff}
      order by last_active_at
      limit ${limit}
      for update skip locked
    ), forgotten as (
      delete from ai_chat_totals c using old o
      where c.session_id = o.session_id and c.initiator_id = o.initiator_id
      returning c.session_id
    )
    select count(*) as deleted from forgotten`.execute(sql);
  return rows[0]?.deleted ?? 0;
}

function toDay(time: Date): string {
  return time.toISOString().slice(0, 10);
}
