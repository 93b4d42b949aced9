/**
 * Which chats want a worker, and taking one: a statement each. A lease that ended is compared by its
 * runner's id: whoever took the chat meanwhile has another.
 */
import type { Database, Sql } from "@atelier/database/database";
import { CompiledQuery, sql } from "kysely";
import type { ChatRow } from "./chat-row.ts";
import { CHAT_COLUMNS_TEXT, toChatRow, type ChatDatabaseRow } from "./chat-store.ts";
import type { Lease } from "./lease.ts";
import {
  HAS_NO_LEASE_TEXT,
  LEASE_TEXT,
  notifyOwnershipText,
  notifyUpdateText,
  WANTS_WORKER_TEXT,
} from "./statement-text-store.ts";

/** Chats that run at once on all servers together. Null: as many as there are. */
export type ChatLimits = {
  readonly topLevelMax: number | null;
  readonly subagentsMax: number | null;
};

export type Acquirable = {
  readonly chatId: string;
  /** Whose lease ended. Null: nobody's. */
  readonly seenRunnerId: string | null;
};

/** Undefined: it wants no worker, or one that lives has it. */
export async function findAcquirable(db: Sql, chatId: string): Promise<Acquirable | undefined> {
  const { rows } = await sql<{ runner_id: string | null }>`
    select chats.runner_id from chats
    where chats.id = ${chatId} and ${sql.raw(WANTS_WORKER_TEXT)}
      and ${sql.raw(HAS_NO_LEASE_TEXT)}`.execute(db);
  return rows.map((row) => ({ chatId, seenRunnerId: row.runner_id }))[0];
}

export type AcquiredSome = {
  readonly chats: readonly ChatRow[];
  /** Of those that want a worker, up to as many as were to be taken: others may just be changing some. */
  readonly candidateCount: number;
  /** Until the first of the leases ends that still live, unless it is beaten. Null: there is none. */
  readonly leaseEndsInMs: number | null;
};

/**
 * Takes as many as there are runner ids. Owners take turns: who has fewest running comes first, and of
 * each the chat that waits longest. Only chats that run need a free place: one that is to stop, or waits
 * for its client, costs nothing. Without limits it is a statement that is planned once.
 */
export async function acquireSome(
  at: Database["pool"] | Sql,
  limits: ChatLimits,
  owner: { readonly workerId: string; readonly runnerIds: readonly string[] },
): Promise<AcquiredSome> {
  const values = [owner.workerId, owner.runnerIds, limits.topLevelMax, limits.subagentsMax];
  const { rows } =
    "executeQuery" in at
      ? await at.executeQuery<AcquiredRow>(CompiledQuery.raw(ACQUIRE_SOME, values))
      : await at.query<AcquiredRow>({ name: "chats-acquire", text: ACQUIRE_SOME, values });
  return {
    chats: rows.flatMap((row) => (row.id === null ? [] : [toChatRow(row)])),
    candidateCount: rows[0]?.candidate_count ?? 0,
    leaseEndsInMs: rows[0]?.lease_ends_in_ms ?? null,
  };
}

type AcquiredRow = (ChatDatabaseRow | (Partial<ChatDatabaseRow> & { readonly id: null })) & {
  readonly candidate_count: number;
  readonly lease_ends_in_ms: number | null;
};

/** Those of them that could run if others did not: nobody drives them, and all places are taken. */
export async function listQueuedForCapacity(
  db: Sql,
  chatIds: readonly string[],
  limits: ChatLimits,
): Promise<ReadonlySet<string>> {
  const isUnlimited = limits.topLevelMax === null && limits.subagentsMax === null;
  if (isUnlimited || chatIds.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`
    select chats.id from chats
    where chats.id = any(${chatIds}::uuid[]) and chats.status = 'running' and not chats.archived
      and ${sql.raw(HAS_NO_LEASE_TEXT)}
      and (
        select count(*) from chats as others
        join chat_heartbeats as beats
          on beats.chat_id = others.id and beats.runner_id = others.runner_id
          and beats.heartbeat_at >= clock_timestamp() - ${sql.raw(LEASE_TEXT)}
        where others.status = 'running' and not others.archived
          and (others.parent_chat_id is null) = (chats.parent_chat_id is null)
      ) >= case when chats.parent_chat_id is null
        then ${limits.topLevelMax}::bigint else ${limits.subagentsMax}::bigint end`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** Where places are limited, one server counts and takes them at a time. False: another does just now. */
export async function tryLockPlaces(db: Sql): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('chat places')) as locked`.execute(db);
  return rows[0]?.locked === true;
}

/** Null: another was quicker, is just changing it, or it wants none any more. */
export async function acquireChat(
  db: Sql,
  { chatId, seenRunnerId }: Acquirable,
  owner: { readonly workerId: string; readonly runnerId: string },
): Promise<ChatRow | null> {
  const values = [chatId, owner.workerId, owner.runnerId, seenRunnerId];
  const { rows } = await db.executeQuery<ChatDatabaseRow>(CompiledQuery.raw(ACQUIRE, values));
  return rows.map(toChatRow)[0] ?? null;
}

/** What a server that stops still has: whoever hears of it takes them at once. */
export async function releaseChats(db: Sql, leases: readonly Lease[]): Promise<number> {
  const values = [leases.map(({ chatId }) => chatId), leases.map(({ runnerId }) => runnerId)];
  const { rows } = await db.executeQuery(CompiledQuery.raw(RELEASE, values));
  return rows.length;
}

const ACQUIRE = `
  with acquired as (
    update chats set
      worker_id = $2, runner_id = $3, fence = fence + 1, snapshot_version = snapshot_version + 1
    where id = (
      select chats.id from chats
      where chats.id = $1 and chats.runner_id is not distinct from $4 and ${WANTS_WORKER_TEXT}
      for update skip locked)
    returning ${CHAT_COLUMNS_TEXT}
  ), beaten as (
    insert into chat_heartbeats (chat_id, runner_id, heartbeat_at)
    select id, runner_id, clock_timestamp() from acquired
  )
  select acquired.*, ${notifyUpdateText("acquired")} as notified from acquired`;

const ACQUIRE_SOME = `
  with wanting as materialized (
    select chats.id, chats.runner_id, chats.owner_id, chats.updated_at,
      chats.status <> 'running' as is_free, chats.parent_chat_id is null as is_top_level,
      ${HAS_NO_LEASE_TEXT} as is_acquirable
    from chats where ${WANTS_WORKER_TEXT}
  ), running as (
    select owner_id, is_top_level, count(*) as count from wanting
    where not is_acquirable and not is_free group by owner_id, is_top_level
  ), turns as (
    select wanting.*,
      coalesce((select sum(count) from running where running.owner_id = wanting.owner_id), 0)
        + row_number() over (
          partition by owner_id, is_free order by updated_at, id) as turn
    from wanting where is_acquirable
  ), placed as (
    select turns.*, row_number() over (
      partition by is_free, is_top_level order by turn, updated_at, id) as place
    from turns
  ), candidates as materialized (
    select id, runner_id, row_number() over (order by is_free desc, turn, updated_at, id) as number
    from placed
    where is_free or place <= (
      case when is_top_level then $3::bigint else $4::bigint end
    ) - coalesce((
      select sum(count) from running where running.is_top_level = placed.is_top_level), 0)
      or (case when is_top_level then $3::bigint else $4::bigint end) is null
    order by number limit cardinality($2::uuid[])
  ), held as materialized (
    select chats.id, candidates.number from candidates
    join chats on chats.id = candidates.id
      and chats.runner_id is not distinct from candidates.runner_id
    where ${WANTS_WORKER_TEXT}
    for update of chats skip locked
  ), acquired as (
    update chats set
      worker_id = $1, runner_id = ($2::uuid[])[held.number], fence = fence + 1,
      snapshot_version = snapshot_version + 1
    from held where chats.id = held.id
    returning ${CHAT_COLUMNS_TEXT}
  ), beaten as (
    insert into chat_heartbeats (chat_id, runner_id, heartbeat_at)
    select id, runner_id, clock_timestamp() from acquired order by id
  )
  select acquired.*, counted.candidate_count, (
      select ceil(1000 * extract(epoch from
        min(beats.heartbeat_at) + ${LEASE_TEXT} - clock_timestamp()))::integer
      from wanting join chat_heartbeats as beats
        on beats.chat_id = wanting.id and beats.runner_id = wanting.runner_id
      where not wanting.is_acquirable
    ) as lease_ends_in_ms,
    case when acquired.id is not null then ${notifyUpdateText("acquired")} end as notified
  from (select count(*) as candidate_count from candidates) as counted
  left join acquired on true
  left join held on held.id = acquired.id
  order by held.number`;

const RELEASE = `
  with held as materialized (
    select chats.id from chats
    join unnest($1::uuid[], $2::uuid[]) as leases (chat_id, runner_id)
      on leases.chat_id = chats.id and leases.runner_id = chats.runner_id
    order by chats.id for update of chats
  ), released as (
    update chats set worker_id = null, runner_id = null, snapshot_version = snapshot_version + 1
    where id in (select id from held)
    returning ${CHAT_COLUMNS_TEXT}
  )
  select ${notifyUpdateText("released")}, case
    when status in ('running', 'interrupting', 'requires_action') and not archived
    then ${notifyOwnershipText("released")} end
  from released`;
