/** A tool server (MCP) between the texts of its form and the bodies of its endpoints. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ApiProblem, CallAnswer } from "@atelier/contract/client";
import type {
  listMcpServers,
  MCP_AUTH_TYPES,
  MCP_AVAILABILITIES,
  MCP_TRANSPORTS,
} from "@atelier/contract/http/mcp-servers";
import { problemOfFields } from "../forms/field-problems.ts";

export type ToolServerView = CallAnswer<typeof listMcpServers>["servers"][number];
type AuthType = (typeof MCP_AUTH_TYPES)[number];

export const AVAILABILITY_WORDS: Readonly<Record<(typeof MCP_AVAILABILITIES)[number], string>> = {
  force_on: "every chat has it",
  default_on: "chats have it unless told otherwise",
  default_off: "chats that ask for it",
};

export const TRANSPORT_WORDS: Readonly<Record<(typeof MCP_TRANSPORTS)[number], string>> = {
  streamable_http: "streamable HTTP",
  sse: "HTTP with SSE (older)",
};

export const AUTH_WORDS: Readonly<Record<AuthType, string>> = {
  none: "none",
  api_key: "one header",
  custom_headers: "several headers",
  oauth2: "each person signs in (OAuth)",
};

/** What a form's `auth` can be: credentials that are stored are not told, so they can be left as they are. */
export const KEPT_AUTH = "kept";

export type ToolServerTexts = Readonly<Record<string, string>>;

export const EMPTY_TOOL_SERVER: ToolServerTexts = {
  slug: "",
  url: "",
  display_name: "",
  description: "",
  enabled: "true",
  availability: "default_on",
  allow_in_plan_mode: "false",
  transport: "streamable_http",
  model_intent: "false",
  tool_allow_list: "",
  tool_deny_list: "",
  auth: "none",
  "auth.header": "Authorization",
  "auth.value": "",
  "auth.headers": "",
  "auth.client_id": "",
  "auth.client_secret": "",
  "auth.scope": "",
};

export const TOOL_SERVER_SECRETS: readonly string[] = [
  "auth.value",
  "auth.headers",
  "auth.client_secret",
];

export function textsOfServer(server: ToolServerView): ToolServerTexts {
  return {
    ...EMPTY_TOOL_SERVER,
    slug: server.slug,
    url: server.url ?? "",
    display_name: server.display_name,
    description: server.description,
    enabled: String(server.enabled),
    availability: server.availability,
    allow_in_plan_mode: String(server.allow_in_plan_mode),
    transport: server.transport,
    model_intent: String(server.model_intent),
    tool_allow_list: server.tool_allow_list.join("\n"),
    tool_deny_list: server.tool_deny_list.join("\n"),
    auth: server.auth_type === "none" ? "none" : KEPT_AUTH,
  };
}

/** As its endpoint takes it, but for what only the schema can judge. */
export function serverBody(
  texts: ToolServerTexts,
): Result<Readonly<Record<string, unknown>>, ApiProblem> {
  const auth = authOf(texts);
  if (!auth.ok) return auth;
  return ok({
    slug: typed(texts, "slug"),
    url: typed(texts, "url"),
    display_name: typed(texts, "display_name"),
    description: typed(texts, "description"),
    enabled: texts["enabled"] === "true",
    availability: texts["availability"],
    allow_in_plan_mode: texts["allow_in_plan_mode"] === "true",
    transport: texts["transport"],
    model_intent: texts["model_intent"] === "true",
    tool_allow_list: linesOf(typed(texts, "tool_allow_list")),
    tool_deny_list: linesOf(typed(texts, "tool_deny_list")),
    ...(auth.value === null ? {} : { auth: auth.value }),
  });
}

/** Only what differs. Credentials that were typed anew always do. */
export function serverChange(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(after).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
    ),
  );
}

/** Null: as it is. */
function authOf(texts: ToolServerTexts): Result<object | null, ApiProblem> {
  switch (typed(texts, "auth")) {
    case KEPT_AUTH:
      return ok(null);
    case "api_key":
      return ok({
        type: "api_key",
        header: typed(texts, "auth.header"),
        value: typed(texts, "auth.value"),
      });
    case "custom_headers":
      return headersOf(typed(texts, "auth.headers"));
    case "oauth2":
      return ok({
        type: "oauth2",
        ...whereTyped(texts, "client_id"),
        ...whereTyped(texts, "client_secret"),
        ...whereTyped(texts, "scope"),
      });
    default:
      return ok({ type: "none" });
  }
}

function whereTyped(texts: ToolServerTexts, name: string): Readonly<Record<string, string>> {
  const text = typed(texts, `auth.${name}`);
  return text === "" ? {} : { [name]: text };
}

function headersOf(text: string): Result<object, ApiProblem> {
  const headers: Record<string, string> = {};
  for (const line of linesOf(text)) {
    const [, name = "", value = ""] = /^([^:\s]+)\s*:\s*(.+)$/.exec(line) ?? [];
    if (name === "") {
      const detail = "One header in each line, as X-Api-Key: secret.";
      return fail(problemOfFields([{ field: "auth.headers", detail }]));
    }
    headers[name] = value;
  }
  return ok({ type: "custom_headers", headers });
}

function typed(texts: ToolServerTexts, field: string): string {
  return (texts[field] ?? "").trim();
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
