/** A tool server, which chats use it, and what its tools are called there. */
import type { McpAuth, McpServer as WireMcpServer } from "@atelier/contract/http/mcp-servers";
import type { ChatKind } from "../tools/tool-availability.ts";

export type McpServer = {
  readonly id: string;
  readonly slug: string;
  readonly displayName: string;
  readonly description: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly availability: WireMcpServer["availability"];
  readonly allowInPlanMode: boolean;
  readonly transport: WireMcpServer["transport"];
  /** Models have to say what each call is for. */
  readonly modelIntent: boolean;
  readonly authType: McpAuth["type"];
  readonly headerNames: readonly string[];
  /** Null: this deployment registers itself. */
  readonly oauthClientId: string | null;
  readonly oauthScope: string | null;
  readonly toolAllowList: readonly string[];
  readonly toolDenyList: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

export type McpFailure = {
  /** What went wrong, for people. */
  readonly words: string;
  /** It does not take the credentials: nothing was done. */
  readonly isRefused: boolean;
};

/** A chat as tool servers see it. */
export type McpChat = {
  readonly ownerId: string;
  readonly mcpServerIds: readonly string[];
  readonly mode: "computer_use" | "explore" | null;
};

/** Of the enabled ones, those that a chat with this selection has. */
export function serversOfChat(
  servers: readonly McpServer[],
  { mcpServerIds, mode }: Pick<McpChat, "mcpServerIds" | "mode">,
): readonly McpServer[] {
  const selected = new Set(mcpServerIds);
  // Who explores has what it began with (`serversForExplorer`): what is forced on, too, may be no plan's.
  const isForced = ({ availability }: McpServer) =>
    mode !== "explore" && availability === "force_on";
  return servers.filter(
    (server) => server.enabled && (isForced(server) || selected.has(server.id)),
  );
}

/** Plans are made without changing anything: who knows what such a tool does. Who explores for one: its servers. */
export function kindsOfServer({ allowInPlanMode }: McpServer): ReadonlySet<ChatKind> {
  const kinds: ChatKind[] = ["root", "child", "explore_child", "computer_use_child"];
  return new Set<ChatKind>(allowInPlanMode ? [...kinds, "root_plan"] : kinds);
}

export function isToolAllowed(server: McpServer, tool: string): boolean {
  const { toolAllowList: allowed, toolDenyList: denied } = server;
  return !denied.includes(tool) && (allowed.length === 0 || allowed.includes(tool));
}

/** What model providers take as a tool's name. */
const NAME_LENGTH_MAX = 64;

export function toolNameOn(server: Pick<McpServer, "slug">, tool: string): string {
  const name = `${server.slug}__${tool}`.replaceAll(/[^A-Za-z0-9_-]/g, "_");
  return name.slice(0, NAME_LENGTH_MAX);
}

/** What is kept secret of it. Null: nothing. */
export function secretOf(auth: McpAuth): Readonly<Record<string, unknown>> | null {
  switch (auth.type) {
    case "none":
      return null;
    case "api_key":
      return { [auth.header]: auth.value };
    case "custom_headers":
      return auth.headers;
    case "oauth2": {
      const { client_id, client_secret } = auth;
      if (client_id === undefined) return null;
      return { client: { client_id, ...(client_secret !== undefined && { client_secret }) } };
    }
  }
}

type AuthFields = Pick<McpServer, "authType" | "headerNames" | "oauthClientId" | "oauthScope">;

/** What may be seen of it. */
export function authFieldsOf(auth: McpAuth): AuthFields {
  const isOauth = auth.type === "oauth2";
  return {
    authType: auth.type,
    headerNames: isOauth ? [] : Object.keys(secretOf(auth) ?? {}),
    oauthClientId: isOauth ? (auth.client_id ?? null) : null,
    oauthScope: isOauth ? (auth.scope ?? null) : null,
  };
}

export function toWireServer(
  server: McpServer,
  seen: { readonly all: boolean; readonly signIn: WireMcpServer["sign_in"] },
): WireMcpServer {
  return {
    id: server.id,
    slug: server.slug,
    display_name: server.displayName,
    description: server.description,
    enabled: server.enabled,
    availability: server.availability,
    allow_in_plan_mode: server.allowInPlanMode,
    transport: server.transport,
    model_intent: server.modelIntent,
    tool_allow_list: [...server.toolAllowList],
    tool_deny_list: [...server.toolDenyList],
    auth_type: server.authType,
    sign_in: seen.signIn,
    ...(seen.all && {
      url: server.url,
      header_names: [...server.headerNames],
      oauth_client_id: server.oauthClientId,
      oauth_scope: server.oauthScope,
    }),
    created_at: server.createdAt.toISOString(),
    updated_at: server.updatedAt.toISOString(),
  };
}

/** What the audit log shows of it: no values of headers. */
export function auditedServer(server: McpServer): Readonly<Record<string, unknown>> {
  const { id: _id, createdAt: _createdAt, updatedAt: _updatedAt, ...shown } = server;
  return shown;
}
