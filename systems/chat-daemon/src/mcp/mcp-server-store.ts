/** Tool servers in Postgres. Their credentials are not here. */
import type { Sql } from "@atelier/database/database";
import { sql as text, type RawBuilder } from "kysely";
import type { McpServer } from "./mcp-server.ts";

/** By slug, so that the tools of a chat are always in the same order. */
export function listServers(sql: Sql): Promise<readonly McpServer[]> {
  return select(sql, text`true`);
}

export async function findServer(sql: Sql, id: string): Promise<McpServer | undefined> {
  return (await select(sql, text`id = ${id}`))[0];
}

/** Until the transaction ends, nobody else changes servers. */
export async function lockServers(sql: Sql): Promise<void> {
  await text`select pg_advisory_xact_lock(hashtext('mcp_servers'))`.execute(sql);
}

/** Replaces what is there. */
export async function putServer(sql: Sql, server: McpServer): Promise<void> {
  const row = {
    slug: server.slug,
    display_name: server.displayName,
    description: server.description,
    url: server.url,
    enabled: server.enabled,
    availability: server.availability,
    allow_in_plan_mode: server.allowInPlanMode,
    transport: server.transport,
    model_intent: server.modelIntent,
    auth_type: server.authType,
    header_names: [...server.headerNames],
    oauth_client_id: server.oauthClientId,
    oauth_scope: server.oauthScope,
    tool_allow_list: [...server.toolAllowList],
    tool_deny_list: [...server.toolDenyList],
    updated_at: server.updatedAt,
  };
  await sql
    .insertInto("mcp_servers")
    .values({ id: server.id, created_at: server.createdAt, ...row })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
    .execute();
}

export async function deleteServer(sql: Sql, id: string): Promise<void> {
  await sql.deleteFrom("mcp_servers").where("id", "=", id).execute();
}

async function select(sql: Sql, condition: RawBuilder<unknown>): Promise<readonly McpServer[]> {
  const { rows } = await text<McpServer>`
    select ${text.raw(COLUMNS_TEXT)} from mcp_servers where ${condition} order by slug`.execute(
    sql,
  );
  return rows;
}

const COLUMNS_TEXT = `id, slug, display_name as "displayName", description, url, enabled, availability,
  allow_in_plan_mode as "allowInPlanMode", transport, model_intent as "modelIntent", auth_type as "authType", header_names as "headerNames",
  oauth_client_id as "oauthClientId", oauth_scope as "oauthScope", tool_allow_list as "toolAllowList", tool_deny_list as "toolDenyList", created_at as "createdAt",
  updated_at as "updatedAt"`;

/** `listServers` as JSON, for a statement that reads a chat: `toServers`. */
export const TURN_SERVERS_TEXT = `(
  select coalesce(json_agg(servers order by slug), '[]')
  from (select ${COLUMNS_TEXT} from mcp_servers) as servers)`;

export function toServers(json: unknown): readonly McpServer[] {
  const rows = json as readonly (McpServer & { createdAt: string; updatedAt: string })[]; // As selected.
  return rows.map((row) => ({
    ...row,
    createdAt: new Date(row.createdAt),
    updatedAt: new Date(row.updatedAt),
  }));
}
