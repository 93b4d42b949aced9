/**
 * Workspaces and their agents in Postgres. Deletion is soft, and deleted ones are not found here.
 * Connected is an agent whose link a server holds that has been heard of in the last seconds.
 */
import type { WorkspaceStatus } from "@atelier/contract/http/workspaces";
import type { Sql } from "@atelier/database/database";
import { publish } from "@atelier/database/pub-sub";
import { sql, type RawBuilder } from "kysely";
import {
  WORKSPACES_CHANGED,
  type KnownWorkspaceAgent,
  type MachineFacts,
  type Workspace,
  type WorkspaceAgent,
} from "./workspace.ts";

/** Every replica learns of it when the transaction commits. */
export async function publishWorkspaceChange(db: Sql, workspaceId: string): Promise<void> {
  await publish(db, WORKSPACES_CHANGED, workspaceId);
}

export type NewWorkspace = Pick<
  Workspace,
  "id" | "name" | "kind" | "ownerId" | "organizationId" | "createdAt"
>;

/** False: its owner has one of this name; the transaction goes on. */
export async function insertWorkspace(db: Sql, workspace: NewWorkspace): Promise<boolean> {
  const { id, ownerId, organizationId, name, kind, createdAt } = workspace;
  const { rows } = await sql`
    insert into workspaces (
      id, owner_id, organization_id, name, kind, created_at, updated_at, last_used_at)
    values (
      ${id}, ${ownerId}, ${organizationId}, ${name}, ${kind}, ${createdAt}, ${createdAt}, ${createdAt})
    on conflict do nothing
    returning 1`.execute(db);
  return rows.length > 0;
}

export async function insertWorkspaceAgent(
  db: Sql,
  agent: { readonly id: string; readonly workspaceId: string; readonly name: string },
): Promise<void> {
  await sql`
    insert into workspace_agents (id, workspace_id, name)
    values (${agent.id}, ${agent.workspaceId}, ${agent.name})`.execute(db);
}

export type LockedWorkspace = Pick<Workspace, "id" | "name" | "kind" | "ownerId">;

/** Locks the row, so that what is decided on it still holds when it is written. */
export async function findWorkspaceForUpdate(
  db: Sql,
  id: string,
): Promise<LockedWorkspace | undefined> {
  const { rows } = await sql<{ id: string; name: string; kind: "external"; owner_id: string }>`
    select id, name, kind, owner_id from workspaces
    where id = ${id} and deleted_at is null for update`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    kind: row.kind,
    ownerId: row.owner_id,
  }))[0];
}

/** Throws when the name is taken: see isWorkspaceNameConflict(). */
export async function updateWorkspaceName(
  db: Sql,
  { id, name, updatedAt }: { readonly id: string; readonly name: string; readonly updatedAt: Date },
): Promise<void> {
  await sql`
    update workspaces set name = ${name}, updated_at = ${updatedAt}
    where id = ${id} and deleted_at is null`.execute(db);
}

export function isWorkspaceNameConflict(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return code === "23505" && constraint === "workspaces_name";
}

/** Its agents' tokens let nobody in any more. */
export async function softDeleteWorkspace(db: Sql, id: string, deletedAt: Date): Promise<void> {
  await sql`
    update workspaces set deleted_at = ${deletedAt}, updated_at = ${deletedAt}
    where id = ${id} and deleted_at is null`.execute(db);
  await sql`update workspace_agents set hashed_token = null where workspace_id = ${id}`.execute(db);
}

/** Replaces the former one. Returns the agent's id. */
export async function updateAgentToken(
  db: Sql,
  workspaceId: string,
  hashedToken: Uint8Array,
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    update workspace_agents set hashed_token = ${hashedToken}
    where workspace_id = ${workspaceId}
    returning id`.execute(db);
  return rows[0]?.id;
}

/** Undefined: the token is nobody's, or of a deleted workspace. */
export async function findAgentOfToken(
  db: Sql,
  hashedToken: Uint8Array,
): Promise<KnownWorkspaceAgent | undefined> {
  return findKnownAgent(db, sql`a.hashed_token = ${hashedToken}`);
}

export async function findKnownAgentById(
  db: Sql,
  agentId: string,
): Promise<KnownWorkspaceAgent | undefined> {
  return findKnownAgent(db, sql`a.id = ${agentId}`);
}

/** Names without regard to case. Without an agent's name, the workspace's only one is meant. */
export async function findKnownAgentByName(
  db: Sql,
  names: { readonly owner: string; readonly name: string; readonly agent: string | null },
): Promise<KnownWorkspaceAgent | undefined> {
  const { owner, name, agent } = names;
  const isAgent =
    agent === null
      ? sql`(select count(*) from workspace_agents other where other.workspace_id = w.id) = 1`
      : sql`lower(a.name) = lower(${agent})`;
  return findKnownAgent(
    db,
    sql`lower(u.username) = lower(${owner}) and lower(w.name) = lower(${name}) and ${isAgent}`,
  );
}

async function findKnownAgent(
  db: Sql,
  condition: RawBuilder<unknown>,
): Promise<KnownWorkspaceAgent | undefined> {
  const { rows } = await sql<KnownRow>`
    select a.id as agent_id, a.name as agent_name, w.id as workspace_id, w.name as workspace_name,
           w.owner_id, u.username, u.status
    from workspace_agents a
    join workspaces w on w.id = a.workspace_id
    join users u on u.id = w.owner_id
    where ${condition} and w.deleted_at is null and u.deleted_at is null`.execute(db);
  return rows.map((row) => ({
    agentId: row.agent_id,
    agentName: row.agent_name,
    workspaceId: row.workspace_id,
    workspaceName: row.workspace_name,
    ownerId: row.owner_id,
    ownerName: row.username,
    isOwnerSuspended: row.status === "suspended",
  }))[0];
}

/** Locks the agent. False: the token is not its token any more. */
export async function holdAgentOfToken(
  db: Sql,
  agentId: string,
  hashedToken: Uint8Array,
): Promise<boolean> {
  const { rows } = await sql`
    select 1 from workspace_agents where id = ${agentId} and hashed_token = ${hashedToken}
    for update`.execute(db);
  return rows.length > 0;
}

export async function updateAgentConnected(db: Sql, agentId: string, at: Date): Promise<void> {
  await sql`
    update workspace_agents
    set first_connected_at = coalesce(first_connected_at, ${at}), last_connected_at = ${at},
        disconnected_at = null
    where id = ${agentId}`.execute(db);
}

export async function updateAgentDisconnected(db: Sql, agentId: string, at: Date): Promise<void> {
  await sql`
    update workspace_agents set disconnected_at = ${at}, last_connected_at = ${at}
    where id = ${agentId}`.execute(db);
}

export async function updateAgentFacts(
  db: Sql,
  agentId: string,
  facts: MachineFacts,
): Promise<void> {
  await sql`
    update workspace_agents
    set operating_system = ${facts.operatingSystem}, architecture = ${facts.architecture},
        version = ${facts.version}, directory = ${facts.directory}
    where id = ${agentId}`.execute(db);
}

/** An earlier time never wins. */
export async function updateWorkspaceLastUsed(db: Sql, id: string, at: Date): Promise<void> {
  await sql`
    update workspaces set last_used_at = ${at}
    where id = ${id} and deleted_at is null and last_used_at < ${at}`.execute(db);
}

/** An earlier time never wins. */
export async function updateLastUsed(db: Sql, agentId: string, at: Date): Promise<void> {
  await sql`
    update workspaces w set last_used_at = ${at}
    from workspace_agents a
    where a.id = ${agentId} and w.id = a.workspace_id and w.last_used_at < ${at}
      and w.deleted_at is null`.execute(db);
}

export async function findWorkspaceSubject(
  db: Sql,
  ref: { readonly workspaceId: string } | { readonly workspaceAgentId: string },
): Promise<{ readonly workspaceId: string; readonly ownerId: string } | undefined> {
  const { rows } = await (
    "workspaceId" in ref
      ? sql<{ id: string; owner_id: string }>`
        select id, owner_id from workspaces
        where id = ${ref.workspaceId} and deleted_at is null`
      : sql<{ id: string; owner_id: string }>`
        select w.id, w.owner_id from workspaces w
        join workspace_agents a on a.workspace_id = w.id
        where a.id = ${ref.workspaceAgentId} and w.deleted_at is null`
  ).execute(db);
  return rows.map((row) => ({ workspaceId: row.id, ownerId: row.owner_id }))[0];
}

export type WorkspaceFilter = {
  readonly id?: string | undefined;
  readonly ownerId?: string | undefined;
  /** Without regard to case. */
  readonly name?: string | undefined;
  readonly namePart?: string | undefined;
  readonly status?: WorkspaceStatus | undefined;
};

export type WorkspacePage = {
  readonly afterId: string | null;
  readonly offset: number;
  readonly limit: number;
};

/** By owner and name. `liveSince`: servers without a heartbeat since then are dead. */
export async function listWorkspaces(
  db: Sql,
  filter: WorkspaceFilter,
  { liveSince, page }: { readonly liveSince: Date; readonly page: WorkspacePage },
): Promise<Workspace[]> {
  const after =
    page.afterId === null
      ? sql``
      : sql`and (lower(owner_name), lower(name), id) > (
          select lower(u.username), lower(w.name), w.id
          from workspaces w join users u on u.id = w.owner_id where w.id = ${page.afterId})`;
  const { rows } = await sql<WorkspaceRow>`
    select * from (${shown(filter, liveSince)}) shown
    where ${statusMatches(filter)} ${after}
    order by lower(owner_name), lower(name), id
    limit ${page.limit} offset ${page.offset}`.execute(db);
  const ids = rows.map(({ id }) => id);
  const agents = await listAgents(db, sql`a.workspace_id = any(${ids}::uuid[])`, liveSince);
  return rows.map((row) => toWorkspace(row, agents));
}

/** How many match, counted up to `max`. */
export async function countWorkspaces(
  db: Sql,
  filter: WorkspaceFilter,
  { liveSince, max }: { readonly liveSince: Date; readonly max: number },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select 1 from (${shown(filter, liveSince)}) shown where ${statusMatches(filter)} limit ${max}
    ) matching`.execute(db);
  return rows[0]?.count ?? 0;
}

export async function findAgent(
  db: Sql,
  agentId: string,
  liveSince: Date,
): Promise<WorkspaceAgent | undefined> {
  return (await listAgents(db, sql`a.id = ${agentId}`, liveSince))[0];
}

async function listAgents(
  db: Sql,
  condition: RawBuilder<unknown>,
  liveSince: Date,
): Promise<WorkspaceAgent[]> {
  const { rows } = await sql<AgentRow>`
    select a.id, a.workspace_id, a.name, a.operating_system, a.architecture, a.version, a.directory,
           a.first_connected_at, a.last_connected_at, a.disconnected_at,
           ${isConnected(liveSince)} as is_connected
    from workspace_agents a
    where ${condition}
    order by a.name`.execute(db);
  return rows.map(toAgent);
}

/** Of the agent `a`. */
function isConnected(liveSince: Date): RawBuilder<unknown> {
  return sql`exists (
    select 1 from workspace_links l join replicas r on r.id = l.replica_id
    where l.agent_id = a.id and r.heartbeat_at > ${liveSince})`;
}

function shown(filter: WorkspaceFilter, liveSince: Date): RawBuilder<unknown> {
  return sql`
    select w.id, w.name, w.kind, w.owner_id, u.username as owner_name, w.organization_id,
           o.name as organization_name, w.created_at, w.updated_at, w.last_used_at,
           case
             when g.all_connected then 'connected'
             when g.any_seen then 'disconnected'
             else 'connecting'
           end as status
    from workspaces w
    join users u on u.id = w.owner_id
    join organizations o on o.id = w.organization_id
    join lateral (
      select coalesce(bool_and(${isConnected(liveSince)}), false) as all_connected,
             coalesce(bool_or(a.first_connected_at is not null), false) as any_seen
      from workspace_agents a where a.workspace_id = w.id
    ) g on true
    where ${matches(filter)}`;
}

function matches(filter: WorkspaceFilter): RawBuilder<unknown> {
  const conditions = [sql`w.deleted_at is null`];
  if (filter.id !== undefined) conditions.push(sql`w.id = ${filter.id}`);
  if (filter.ownerId !== undefined) conditions.push(sql`w.owner_id = ${filter.ownerId}`);
  if (filter.name !== undefined) conditions.push(sql`lower(w.name) = lower(${filter.name})`);
  if (filter.namePart !== undefined) {
    const pattern = `%${filter.namePart.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    conditions.push(sql`w.name ilike ${pattern}`);
  }
  return sql.join(conditions, sql` and `);
}

function statusMatches({ status }: WorkspaceFilter): RawBuilder<unknown> {
  return status === undefined ? sql`true` : sql`status = ${status}`;
}

type KnownRow = {
  readonly agent_id: string;
  readonly agent_name: string;
  readonly workspace_id: string;
  readonly workspace_name: string;
  readonly owner_id: string;
  readonly username: string;
  readonly status: string;
};

type WorkspaceRow = {
  readonly id: string;
  readonly name: string;
  readonly kind: "external";
  readonly owner_id: string;
  readonly owner_name: string;
  readonly organization_id: string;
  readonly organization_name: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly last_used_at: Date;
  readonly status: WorkspaceStatus;
};

function toWorkspace(row: WorkspaceRow, agents: readonly WorkspaceAgent[]): Workspace {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    ownerId: row.owner_id,
    ownerName: row.owner_name,
    organizationId: row.organization_id,
    organizationName: row.organization_name,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at,
    status: row.status,
    agents: agents.filter(({ workspaceId }) => workspaceId === row.id),
  };
}

type AgentRow = {
  readonly id: string;
  readonly workspace_id: string;
  readonly name: string;
  readonly operating_system: string | null;
  readonly architecture: string | null;
  readonly version: string | null;
  readonly directory: string | null;
  readonly first_connected_at: Date | null;
  readonly last_connected_at: Date | null;
  readonly disconnected_at: Date | null;
  readonly is_connected: boolean;
};

function toAgent(row: AgentRow): WorkspaceAgent {
  const away = row.first_connected_at === null ? "connecting" : "disconnected";
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    status: row.is_connected ? "connected" : away,
    operatingSystem: row.operating_system,
    architecture: row.architecture,
    version: row.version,
    directory: row.directory,
    firstConnectedAt: row.first_connected_at,
    lastConnectedAt: row.last_connected_at,
    disconnectedAt: row.is_connected ? null : row.disconnected_at,
  };
}
