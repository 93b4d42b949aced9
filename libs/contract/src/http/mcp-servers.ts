/** Tool servers for chats, over the Model Context Protocol: spec agents 9.9. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { RawAnswer } from "../raw-body.ts";
import { NoParams, NoQuery, Timestamp } from "./common.ts";

export const MCP_AVAILABILITIES = ["force_on", "default_on", "default_off"] as const;
/** `sse`: the protocol's older way over HTTP, which only servers from before 2025 need. */
export const MCP_TRANSPORTS = ["streamable_http", "sse"] as const;
export const MCP_AUTH_TYPES = ["none", "api_key", "custom_headers", "oauth2"] as const;
/** Whether the caller has to sign in to it, each person for themselves. */
export const MCP_SIGN_INS = ["not_needed", "needed", "done"] as const;

const ToolName = z.string().min(1).max(128);
const HeaderName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, "No name of a header.")
  .refine(
    (name) => !TRANSPORT_HEADERS.has(name.toLowerCase()),
    "This header is the protocol's own.",
  );
const TRANSPORT_HEADERS = new Set(
  "accept,connection,content-length,content-type,host,mcp-protocol-version,mcp-session-id,transfer-encoding".split(
    ",",
  ),
);
const HeaderValue = z.string().regex(/^[\x20-\x7E]{1,8192}$/, "Only printable ASCII.");

const PrintableText = z.string().regex(/^[\x20-\x7E]+$/, "Only printable ASCII.");

/** Write-only: no answer shows a value. */
export const McpAuth = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("none") }),
  z.strictObject({ type: z.literal("api_key"), header: HeaderName, value: HeaderValue }),
  z.strictObject({
    type: z.literal("custom_headers"),
    headers: z
      .record(HeaderName, HeaderValue)
      .refine((headers) => Object.keys(headers).length <= 20, "At most 20 headers."),
  }),
  z
    .strictObject({
      type: z.literal("oauth2"),
      /** Absent: this server registers itself with the authorization server. */
      client_id: PrintableText.max(1_024).optional(),
      client_secret: PrintableText.max(8_192).optional(),
      /** Absent: what the tool server says that it needs. */
      scope: PrintableText.max(1_024).optional(),
    })
    .refine(
      (auth) => auth.client_secret === undefined || auth.client_id !== undefined,
      "A client secret needs its client id.",
    ),
]);
export type McpAuth = z.output<typeof McpAuth>;

export const McpServer = z.object({
  id: z.uuid(),
  slug: z.string(),
  display_name: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  availability: z.enum(MCP_AVAILABILITIES),
  allow_in_plan_mode: z.boolean(),
  transport: z.enum(MCP_TRANSPORTS).default("streamable_http"),
  /** Models have to say what each call is for; the server is not told. */
  model_intent: z.boolean().default(false),
  tool_allow_list: z.array(z.string()),
  tool_deny_list: z.array(z.string()),
  auth_type: z.enum(MCP_AUTH_TYPES),
  sign_in: z.enum(MCP_SIGN_INS).default("not_needed"),
  /** Only for those who may read settings. */
  url: z.string().optional(),
  header_names: z.array(z.string()).optional(),
  /** Null: this server registers itself. */
  oauth_client_id: z.string().nullable().optional(),
  oauth_scope: z.string().nullable().optional(),
  created_at: Timestamp,
  updated_at: Timestamp,
});
export type McpServer = z.output<typeof McpServer>;

const Url = z
  .url({ protocol: /^https?$/ })
  .max(2_048)
  .refine((text) => {
    const url = URL.parse(text);
    return url !== null && url.username === "" && url.password === "";
  }, "No credentials in the URL: they are not kept secret there.");

const Fields = {
  slug: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, "1 to 32 of a-z 0-9 -"),
  url: Url,
  display_name: z.string().trim().max(128),
  description: z.string().trim().max(1_000),
  enabled: z.boolean(),
  availability: z.enum(MCP_AVAILABILITIES),
  allow_in_plan_mode: z.boolean(),
  transport: z.enum(MCP_TRANSPORTS),
  model_intent: z.boolean(),
  tool_allow_list: z.array(ToolName).max(200),
  tool_deny_list: z.array(ToolName).max(200),
  auth: McpAuth,
};
const Params = z.strictObject({ server: z.uuid() });

export const listMcpServers = endpoint({
  tag: "mcp servers",
  summary: "List the tool servers that chats can use; those who may read settings see all",
  method: "GET",
  path: "/api/v2/mcp-servers",
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ servers: z.array(McpServer) }) },
  failures: [],
  audit: null,
});

export const createMcpServer = endpoint({
  tag: "mcp servers",
  summary: "Add a tool server for chats",
  method: "POST",
  path: "/api/v2/mcp-servers",
  access: "chat_setting:update",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({
    slug: Fields.slug,
    url: Fields.url,
    display_name: Fields.display_name.default(""),
    description: Fields.description.default(""),
    enabled: Fields.enabled.default(true),
    availability: Fields.availability.default("default_off"),
    allow_in_plan_mode: Fields.allow_in_plan_mode.default(false),
    transport: Fields.transport.default("streamable_http"),
    model_intent: Fields.model_intent.default(false),
    tool_allow_list: Fields.tool_allow_list.default([]),
    tool_deny_list: Fields.tool_deny_list.default([]),
    auth: Fields.auth.default({ type: "none" }),
  }),
  success: { status: 201, body: McpServer },
  failures: ["mcp_server.slug_taken"],
  audit: { action: "create", resource: "mcp_server" },
});

export const updateMcpServer = endpoint({
  tag: "mcp servers",
  summary: "Change a tool server; what is not given stays, also its credentials",
  method: "PATCH",
  path: "/api/v2/mcp-servers/:server",
  access: "chat_setting:update",
  params: Params,
  query: NoQuery,
  body: z.strictObject(Fields).partial(),
  success: { status: 200, body: McpServer },
  failures: ["mcp_server.slug_taken"],
  audit: { action: "write", resource: "mcp_server" },
});

export const deleteMcpServer = endpoint({
  tag: "mcp servers",
  summary: "Delete a tool server; chats go on without its tools",
  method: "DELETE",
  path: "/api/v2/mcp-servers/:server",
  access: "chat_setting:update",
  params: Params,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "delete", resource: "mcp_server" },
});

export const testMcpServer = endpoint({
  tag: "mcp servers",
  summary: "Connect to a tool server, and list its tools as chats would get them",
  method: "POST",
  path: "/api/v2/mcp-servers/:server/test",
  access: "chat_setting:update",
  params: Params,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    body: z.object({
      ok: z.boolean(),
      /** What went wrong. */
      message: z.string().optional(),
      tools: z.array(
        z.object({ name: z.string(), description: z.string(), is_allowed: z.boolean() }),
      ),
    }),
  },
  failures: [],
  audit: null,
});

export const signInToMcpServer = endpoint({
  tag: "mcp servers",
  summary: "Begin to sign in to a tool server: gives the page on which a browser goes on",
  method: "POST",
  path: "/api/v2/mcp-servers/:server/sign-in",
  access: "signed_in",
  params: Params,
  query: NoQuery,
  body: null,
  success: {
    status: 201,
    body: z.object({
      /** Serves once. */
      authorization_url: z.url(),
      expires_at: Timestamp,
    }),
  },
  failures: ["mcp_server.sign_in_not_needed", "mcp_server.sign_in_failed"],
  audit: null,
});

export const finishMcpSignIn = endpoint({
  tag: "mcp servers",
  summary: "Where the tool server's authorization server sends the browser back to",
  method: "GET",
  path: "/api/v2/mcp-servers/oauth2/callback",
  access: "signed_in",
  params: NoParams,
  // Authorization servers may add what they like.
  query: z.object({
    state: z.string().max(512).default(""),
    code: z.string().max(8_192).optional(),
    iss: z.string().max(2_048).optional(),
    error: z.string().max(256).optional(),
  }),
  body: null,
  rawAnswer: { mediaTypes: ["text/html"] },
  success: { status: 200, body: RawAnswer },
  failures: ["mcp_server.sign_in_failed"],
  audit: { action: "login", resource: "mcp_server" },
});

export const signOutOfMcpServer = endpoint({
  tag: "mcp servers",
  summary: "Sign out of a tool server: its tokens are forgotten here, and revoked where that works",
  method: "DELETE",
  path: "/api/v2/mcp-servers/:server/sign-in",
  access: "signed_in",
  params: Params,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "logout", resource: "mcp_server" },
});
