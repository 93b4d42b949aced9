/** Which server holds which workspace agent's link. Rows of dead servers count for nothing. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import type { Holder } from "./link-registry.ts";

export type LinkRow = { readonly agentId: string; readonly connectionId: string };

export type NewLink = LinkRow & { readonly replicaId: string; readonly connectedAt: Date };

/** Whoever had it before has it no more. */
export async function upsertLink(db: Sql, link: NewLink): Promise<void> {
  await sql`
    insert into workspace_links (agent_id, replica_id, connection_id, connected_at)
    values (${link.agentId}, ${link.replicaId}, ${link.connectionId}, ${link.connectedAt})
    on conflict (agent_id) do update
    set replica_id = excluded.replica_id, connection_id = excluded.connection_id,
        connected_at = excluded.connected_at`.execute(db);
}

/** False: somebody has it. */
export async function insertLinkIfAbsent(db: Sql, link: NewLink): Promise<boolean> {
  const { rows } = await sql`
    insert into workspace_links (agent_id, replica_id, connection_id, connected_at)
    values (${link.agentId}, ${link.replicaId}, ${link.connectionId}, ${link.connectedAt})
    on conflict do nothing
    returning 1`.execute(db);
  return rows.length > 0;
}

/** False: the agent has a newer connection, or none. */
export async function deleteLink(db: Sql, { agentId, connectionId }: LinkRow): Promise<boolean> {
  const { rows } = await sql`
    delete from workspace_links
    where agent_id = ${agentId} and connection_id = ${connectionId}
    returning 1`.execute(db);
  return rows.length > 0;
}

/** Undefined: no living server holds it. */
export async function findHolder(
  db: Sql,
  agentId: string,
  liveSince: Date,
): Promise<Holder | undefined> {
  const { rows } = await sql<{
    replica_id: string;
    relay_url: string | null;
    connection_id: string;
  }>`
    select l.replica_id, r.relay_url, l.connection_id
    from workspace_links l
    join replicas r on r.id = l.replica_id
    where l.agent_id = ${agentId} and r.heartbeat_at > ${liveSince}`.execute(db);
  return rows.map((row) => ({
    replicaId: row.replica_id,
    relayUrl: row.relay_url,
    connectionId: row.connection_id,
  }))[0];
}

export async function listLinksOfReplica(db: Sql, replicaId: string): Promise<LinkRow[]> {
  const { rows } = await sql<{ agent_id: string; connection_id: string }>`
    select agent_id, connection_id from workspace_links where replica_id = ${replicaId}`.execute(
    db,
  );
  return rows.map((row) => ({ agentId: row.agent_id, connectionId: row.connection_id }));
}

export async function listLinksOfDeadReplicas(db: Sql, liveSince: Date): Promise<LinkRow[]> {
  const { rows } = await sql<{ agent_id: string; connection_id: string }>`
    select l.agent_id, l.connection_id
    from workspace_links l
    where not exists (
      select 1 from replicas r where r.id = l.replica_id and r.heartbeat_at > ${liveSince})
    limit 1000`.execute(db);
  return rows.map((row) => ({ agentId: row.agent_id, connectionId: row.connection_id }));
}
