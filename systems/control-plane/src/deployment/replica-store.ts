/** The servers that share this database, by their heartbeats. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";

export type Replica = {
  readonly id: string;
  readonly hostname: string;
  readonly version: string;
  readonly startedAt: Date;
  /** Where other servers reach it. Null: it does not listen yet. */
  readonly relayUrl: string | null;
};

/** Without a heartbeat for this long, a replica counts as dead. */
export const REPLICA_DEAD_AFTER_MS = 30_000;

/**
 * What only a living replica can hold, such as connections, is not counted as held after this much of
 * silence, which is two lost heartbeats and some. A replica that comes back says anew what it holds.
 */
export const REPLICA_SILENT_AFTER_MS = 15_000;

export async function heartbeat(db: Sql, replica: Replica, at: Date): Promise<void> {
  await sql`
    insert into replicas (id, hostname, version, started_at, relay_url, heartbeat_at)
    values (
      ${replica.id}, ${replica.hostname}, ${replica.version}, ${replica.startedAt},
      ${replica.relayUrl}, ${at})
    on conflict (id) do update
    set heartbeat_at = excluded.heartbeat_at, relay_url = excluded.relay_url`.execute(db);
}

export async function listLiveReplicaIds(db: Sql, now: Date): Promise<readonly string[]> {
  const since = new Date(now.getTime() - REPLICA_DEAD_AFTER_MS);
  const { rows } = await sql<{ id: string }>`
    select id from replicas where heartbeat_at > ${since} order by id`.execute(db);
  return rows.map(({ id }) => id);
}

/** Where other servers reach it. Null: it does not listen yet, or was not heard since then. */
export async function findRelayUrl(db: Sql, id: string, heardSince: Date): Promise<string | null> {
  const { rows } = await sql<{ relay_url: string | null }>`
    select relay_url from replicas where id = ${id} and heartbeat_at > ${heardSince}`.execute(db);
  return rows[0]?.relay_url ?? null;
}

export async function deleteReplica(db: Sql, id: string): Promise<void> {
  await sql`delete from replicas where id = ${id}`.execute(db);
}

/** Those that had the same address before: two processes cannot listen on one. */
export async function deletePredecessors(
  db: Sql,
  { id, hostname, relayUrl }: Pick<Replica, "id" | "hostname" | "relayUrl">,
): Promise<void> {
  await sql`
    delete from replicas
    where hostname = ${hostname} and relay_url = ${relayUrl} and id <> ${id}`.execute(db);
}

export async function deleteReplicasSilentSince(db: Sql, before: Date): Promise<void> {
  await sql`delete from replicas where heartbeat_at < ${before}`.execute(db);
}
