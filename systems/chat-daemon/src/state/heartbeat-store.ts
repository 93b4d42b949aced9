/**
 * Leases of runners on chats. A lease lives as long as its last beat is younger than LEASE_MS by the
 * database's clock, so servers whose clocks differ agree on it.
 */
import type { Sql } from "@atelier/database/database";
import { sql, type RawBuilder } from "kysely";
import type { Lease } from "./lease.ts";
import { LEASE_TEXT } from "./statement-text-store.ts";

const LEASE: RawBuilder<unknown> = sql.raw(LEASE_TEXT);

/** All of a server's in one statement: one beat costs one round trip. */
export async function beat(db: Sql, leases: readonly Lease[]): Promise<void> {
  await sql`
    insert into chat_heartbeats (chat_id, runner_id, heartbeat_at)
    select chat_id, runner_id, clock_timestamp()
    from unnest(
      ${leases.map(({ chatId }) => chatId)}::uuid[], ${leases.map(({ runnerId }) => runnerId)}::uuid[]
    ) as leases (chat_id, runner_id)
    order by chat_id, runner_id
    on conflict (chat_id, runner_id) do update set heartbeat_at = excluded.heartbeat_at`.execute(
    db,
  );
}

/** Ended leases tell nobody anything. Returns how many there were. */
export async function deleteEndedLeases(db: Sql): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from chat_heartbeats where heartbeat_at < clock_timestamp() - ${LEASE}`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

export async function isLeaseAlive(db: Sql, { chatId, runnerId }: Lease): Promise<boolean> {
  const { rows } = await sql`
    select 1 from chat_heartbeats
    where chat_id = ${chatId} and runner_id = ${runnerId}
      and heartbeat_at >= clock_timestamp() - ${LEASE}`.execute(db);
  return rows.length > 0;
}
