/** The connection log in Postgres: rows are added and closed, and leave only by retention. */
import type { ConnectionType } from "@atelier/contract/http/connection-log";
import type { Sql } from "@atelier/database/database";
import { sql, type RawBuilder } from "kysely";
import type { LoggedConnection, OpenedConnection } from "./connection.ts";

export async function insertConnection(db: Sql, opened: OpenedConnection): Promise<void> {
  await sql`
    insert into connection_log (
      id, connected_at, type, workspace_id, workspace_name, workspace_owner_id,
      workspace_owner_username, agent_id, agent_name, user_id, username, ip_address, user_agent,
      replica_id)
    values (
      ${opened.id}, ${opened.connectedAt}, ${opened.type}, ${opened.workspaceId},
      ${opened.workspaceName}, ${opened.ownerId}, ${opened.ownerName}, ${opened.agentId},
      ${opened.agentName}, ${opened.user?.id ?? null}, ${opened.user?.username ?? null},
      ${opened.ip}, ${opened.userAgent}, ${opened.replicaId})`.execute(db);
}

export async function closeConnection(
  db: Sql,
  { id, connectedAt }: Pick<OpenedConnection, "id" | "connectedAt">,
  end: { readonly at: Date; readonly reason: string },
): Promise<void> {
  await sql`
    update connection_log set disconnected_at = ${end.at}, reason = ${end.reason}
    where id = ${id} and connected_at = ${connectedAt} and disconnected_at is null`.execute(db);
}

/** Those that this server left open though they ended, and those of servers that are dead. */
export async function closeLostConnections(
  db: Sql,
  own: { readonly replicaId: string; readonly openIds: readonly string[] },
  end: { readonly at: Date; readonly liveSince: Date },
): Promise<void> {
  await sql`
    update connection_log set disconnected_at = ${end.at}, reason = 'its end was not seen'
    where disconnected_at is null and (
      (replica_id = ${own.replicaId} and not (id = any(${own.openIds}::uuid[])))
      or (replica_id <> ${own.replicaId} and not exists (
        select 1 from replicas r where r.id = replica_id and r.heartbeat_at > ${end.liveSince}))
    )`.execute(db);
}

/** Fields that are given must match; times are inclusive at the start and exclusive at the end. */
export type ConnectionFilter = {
  readonly type?: ConnectionType | undefined;
  readonly isOngoing?: boolean | undefined;
  readonly workspaceName?: string | undefined;
  readonly workspaceId?: string | undefined;
  readonly ownerName?: string | undefined;
  readonly username?: string | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
};

export type ConnectionPlace = { readonly connectedAt: Date; readonly id: string };

/** Where a page ended. Undefined: no such connection, or it is past its retention. */
export async function findConnectionPlace(
  db: Sql,
  id: string,
): Promise<ConnectionPlace | undefined> {
  const { rows } = await sql<{ connected_at: Date; id: string }>`
    select connected_at, id from connection_log where id = ${id}`.execute(db);
  return rows.map((row) => ({ connectedAt: row.connected_at, id: row.id }))[0];
}

export async function listConnections(
  db: Sql,
  filter: ConnectionFilter,
  page: { readonly after: ConnectionPlace | null; readonly limit: number },
): Promise<LoggedConnection[]> {
  const { after } = page;
  const beyond =
    after === null ? sql`` : sql`and (connected_at, id) < (${after.connectedAt}, ${after.id})`;
  const { rows } = await sql<Row>`
    select id, connected_at, disconnected_at, type, workspace_id, workspace_name,
           workspace_owner_id, workspace_owner_username, agent_id, agent_name, user_id, username,
           ip_address, user_agent, reason
    from connection_log
    where ${matches(filter)} ${beyond}
    order by connected_at desc, id desc
    limit ${page.limit}`.execute(db);
  return rows.map(fromRow);
}

/** How many match, counted up to `max`. */
export async function countConnections(
  db: Sql,
  filter: ConnectionFilter,
  max: number,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select 1 from connection_log where ${matches(filter)} limit ${max}
    ) matching`.execute(db);
  return rows[0]?.count ?? 0;
}

function matches(filter: ConnectionFilter): RawBuilder<unknown> {
  const conditions = [sql`true`];
  const add = <T>(value: T | undefined, condition: (value: T) => RawBuilder<unknown>): void => {
    if (value !== undefined) conditions.push(condition(value));
  };
  add(filter.type, (type) => sql`type = ${type}`);
  add(filter.isOngoing, (is) =>
    is ? sql`disconnected_at is null` : sql`disconnected_at is not null`,
  );
  add(filter.workspaceName, (name) => sql`lower(workspace_name) = lower(${name})`);
  add(filter.workspaceId, (id) => sql`workspace_id = ${id}`);
  add(filter.ownerName, (name) => sql`lower(workspace_owner_username) = lower(${name})`);
  add(filter.username, (name) => sql`lower(username) = lower(${name})`);
  add(filter.from, (from) => sql`connected_at >= ${from}`);
  add(filter.until, (until) => sql`connected_at < ${until}`);
  return sql.join(conditions, sql` and `);
}

type Row = {
  readonly id: string;
  readonly connected_at: Date;
  readonly disconnected_at: Date | null;
  readonly type: ConnectionType;
  readonly workspace_id: string;
  readonly workspace_name: string;
  readonly workspace_owner_id: string;
  readonly workspace_owner_username: string;
  readonly agent_id: string;
  readonly agent_name: string;
  readonly user_id: string | null;
  readonly username: string | null;
  readonly ip_address: string;
  readonly user_agent: string;
  readonly reason: string;
};

function fromRow(row: Row): LoggedConnection {
  const { user_id: userId, username } = row;
  return {
    id: row.id,
    connectedAt: row.connected_at,
    disconnectedAt: row.disconnected_at,
    type: row.type,
    workspaceId: row.workspace_id,
    workspaceName: row.workspace_name,
    ownerId: row.workspace_owner_id,
    ownerName: row.workspace_owner_username,
    agentId: row.agent_id,
    agentName: row.agent_name,
    user: userId === null || username === null ? null : { id: userId, username },
    ip: row.ip_address,
    userAgent: row.user_agent,
    reason: row.reason,
  };
}
