/** Tool servers, as people read them. */
import type { McpServer } from "@atelier/contract/http/mcp-servers";
import { fields, orDash, since, table, type Cell, type Look } from "./people.ts";

export function mcpServerFields(look: Look, server: McpServer): string {
  return fields(look, [
    ["Slug", server.slug],
    ["Display name", orDash(server.display_name)],
    ["Description", orDash(server.description)],
    ["URL", orDash(server.url ?? "")],
    ["Enabled", server.enabled ? "yes" : "no"],
    ["Availability", server.availability],
    ["Asked by", server.transport === "sse" ? "HTTP with SSE (older)" : "streamable HTTP"],
    ["Says what for", server.model_intent ? "yes" : "no"],
    ["In plan mode", server.allow_in_plan_mode ? "yes" : "no"],
    ["Only tools", orDash(server.tool_allow_list.join(", "))],
    ["Not tools", orDash(server.tool_deny_list.join(", "))],
    ["Credentials", credentials(server)],
    ["You", SIGN_IN_WORDS[server.sign_in]],
    ["Changed", since(look, server.updated_at)],
    ["Id", server.id],
  ]);
}

const SIGN_IN_WORDS = { not_needed: "-", needed: "needs sign-in", done: "signed in" } as const;

function credentials(server: McpServer): string {
  if (server.auth_type === "none") return "none";
  if (server.auth_type !== "oauth2") return (server.header_names ?? []).join(", ");
  const client = server.oauth_client_id ?? null;
  return `each person signs in (OAuth${client === null ? "" : `, as ${client}`})`;
}

export function mcpServersTable(look: Look, servers: readonly McpServer[]): string {
  const columns = ["SLUG", "NAME", "AVAILABILITY", "ENABLED", "YOU", "URL"].map((title) => ({
    title,
  }));
  const rows = servers.map((server): Cell[] => [
    ...[server.slug, orDash(server.display_name), server.availability],
    ...[server.enabled ? "yes" : "no", SIGN_IN_WORDS[server.sign_in], orDash(server.url ?? "")],
  ]);
  return table(look, columns, rows);
}
