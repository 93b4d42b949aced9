/** What administrators do with tool servers. Each change commits with its audit entry and its secret. */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { McpAuth } from "@atelier/contract/http/mcp-servers";
import type { ChatSecrets } from "@atelier/contract/rpc/chat-ports";
import type { ServiceAudit } from "@atelier/contract/rpc/endpoint-service";
import type { Database, Sql } from "@atelier/database/database";
import type { ChatKind } from "../tools/tool-availability.ts";
import {
  auditedServer,
  authFieldsOf,
  kindsOfServer,
  secretOf,
  serversOfChat,
  type McpChat,
  type McpServer,
} from "./mcp-server.ts";
import {
  deleteServer,
  findServer,
  listServers,
  lockServers,
  putServer,
} from "./mcp-server-store.ts";
import { deleteAttempts, deleteSignIns } from "./mcp-sign-in-store.ts";

export type McpServerDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly secrets: ChatSecrets;
};

export function readServers({ database }: McpServerDeps): Promise<readonly McpServer[]> {
  return listServers(database.sql);
}

type AuthField = "authType" | "headerNames" | "oauthClientId" | "oauthScope";
type Given = Omit<McpServer, "id" | AuthField | "createdAt" | "updatedAt">;
export type NewServer = Given & { readonly auth: McpAuth };
export type ServerChange = { readonly [Key in keyof NewServer]?: NewServer[Key] | undefined };

type ChangeFailure = Failure<"mcp_server.slug_taken" | "resource.not_found">;

export function createServer(
  deps: McpServerDeps,
  audit: ServiceAudit,
  { auth, ...given }: NewServer,
): Promise<Result<McpServer, Failure<"mcp_server.slug_taken">>> {
  const now = deps.clock.now();
  const times = { createdAt: now, updatedAt: now };
  const server: McpServer = { id: deps.random.uuid(), ...authFieldsOf(auth), ...given, ...times };
  return write(deps, audit, { before: null, after: server, auth });
}

export async function changeServer(
  deps: McpServerDeps,
  audit: ServiceAudit,
  id: string,
  change: ServerChange,
): Promise<Result<McpServer, ChangeFailure>> {
  const before = await findServer(deps.database.sql, id);
  if (before === undefined) return fail({ code: "resource.not_found" });
  const { auth, ...fields } = change;
  const given = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Partial<Given>; // What is not given stays.
  const after = { ...before, ...given, updatedAt: deps.clock.now() };
  return write(deps, audit, { before, after, auth });
}

async function write(
  { database, secrets }: McpServerDeps,
  audit: ServiceAudit,
  change: {
    readonly before: McpServer | null;
    readonly after: McpServer;
    readonly auth: McpAuth | undefined;
  },
): Promise<Result<McpServer, Failure<"mcp_server.slug_taken">>> {
  const { before, auth } = change;
  return database.transaction(async (sql) => {
    await lockServers(sql);
    const { id, slug } = change.after;
    const others = (await listServers(sql)).filter((each) => each.id !== id);
    if (others.some((each) => each.slug === slug)) return fail({ code: "mcp_server.slug_taken" });
    const secret = auth === undefined ? undefined : secretOf(auth);
    const after = { ...change.after, ...(auth !== undefined && authFieldsOf(auth)) };
    await putServer(sql, after);
    if (secret === null) await secrets.remove(sql, id);
    else if (secret !== undefined) await secrets.put(sql, id, JSON.stringify(secret));
    // Tokens are for the server that people signed in to: another one never gets them.
    const isElsewhere = before !== null && before.url !== after.url;
    if (auth !== undefined || isElsewhere) await signAllOut({ secrets }, sql, id);
    await audit.record(sql, {
      resourceId: id,
      target: slug,
      before: before === null ? null : auditedServer(before),
      after: auditedServer(after),
    });
    return ok(after);
  });
}

export async function dropServer(
  { database, secrets }: McpServerDeps,
  audit: ServiceAudit,
  id: string,
): Promise<Result<undefined, Failure<"resource.not_found">>> {
  return database.transaction(async (sql) => {
    await lockServers(sql);
    const before = await findServer(sql, id);
    if (before === undefined) return fail({ code: "resource.not_found" });
    await signAllOut({ secrets }, sql, id);
    await deleteServer(sql, id);
    await secrets.remove(sql, id);
    const change = { before: auditedServer(before), after: null };
    await audit.record(sql, { resourceId: id, target: before.slug, ...change });
    return ok(undefined);
  });
}

async function signAllOut(
  { secrets }: Pick<McpServerDeps, "secrets">,
  sql: Sql,
  serverId: string,
): Promise<void> {
  const signIns = await deleteSignIns(sql, { serverId, userId: null });
  const attempts = await deleteAttempts(sql, { serverId });
  for (const id of [...signIns, ...attempts]) await secrets.remove(sql, id);
}

/** What a new chat begins with where nobody chooses; else the choice. Null: something of it is not there. */
export async function chooseServers(
  { database }: Pick<McpServerDeps, "database">,
  wanted: readonly string[] | undefined,
): Promise<readonly string[] | null> {
  const enabled = (await listServers(database.sql)).filter(({ enabled: is }) => is);
  if (wanted === undefined) {
    return enabled.filter(({ availability }) => availability === "default_on").map(({ id }) => id);
  }
  const ids = new Set(enabled.map(({ id }) => id));
  return wanted.every((id) => ids.has(id)) ? wanted : null;
}

/** Those whose tools the turn of a chat of this kind may call: what who explores for it begins with, and keeps. */
export async function serversForExplorer(
  { database }: Pick<McpServerDeps, "database">,
  parent: Pick<McpChat, "mcpServerIds" | "mode">,
  kind: ChatKind,
): Promise<readonly string[]> {
  const servers = serversOfChat(await listServers(database.sql), parent);
  return servers.filter((server) => kindsOfServer(server).has(kind)).map(({ id }) => id);
}
