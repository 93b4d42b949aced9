/**
 * Which paths of a model provider are bridged (read and recorded), which only pass through, and
 * which do not exist. A whitelist, because the company's key may have administrative powers
 * (spec gateway 2.3).
 */
import type { WireFormat } from "@atelier/model-wire/wire-format";

export type ProviderRoute =
  | {
      readonly kind: "bridged";
      readonly format: WireFormat;
      /** The route as metrics name it. */
      readonly label: string;
      /** What follows the provider's base URL, in the client's spelling. */
      readonly upstreamPath: string;
    }
  | { readonly kind: "passthrough"; readonly label: string; readonly upstreamPath: string };

export type RouteTable = {
  /** Stands on both sides for OpenAI formats: the base URL holds it too, so it is not sent twice. */
  readonly prefix: string;
  readonly bridged: Readonly<Record<string, WireFormat>>;
  /** Those that end in a slash match the whole subtree. */
  readonly passthrough: readonly string[];
};

export const OPENAI_ROUTES: RouteTable = {
  prefix: "/v1",
  bridged: { "/chat/completions": "chat_completions", "/responses": "responses" },
  passthrough: ["/conversations", "/conversations/", "/models", "/models/", "/responses/"],
};

export const ANTHROPIC_ROUTES: RouteTable = {
  prefix: "",
  bridged: { "/v1/messages": "messages" },
  passthrough: [
    "/v1/models",
    "/v1/models/",
    "/v1/messages/count_tokens",
    // Claude Code posts its telemetry to its base URL.
    "/api/event_logging",
    "/api/event_logging/",
  ],
};

/** A subtree's own root is listed beside it: clients leave out the slash at its end. */
export const COPILOT_ROUTES: RouteTable = {
  prefix: "",
  bridged: {
    "/chat/completions": "chat_completions",
    "/responses": "responses",
    "/v1/messages": "messages",
  },
  passthrough: [
    "/models",
    "/models/",
    "/agents",
    "/agents/",
    "/mcp",
    "/mcp/",
    "/.well-known/",
    "/_ping",
    "/auto",
  ],
};

/** Null: the table has no such route. `route` is for matching, `rawRoute` goes upstream. */
export function matchProviderRoute(
  table: RouteTable,
  { route, rawRoute }: { readonly route: string; readonly rawRoute: string },
): ProviderRoute | null {
  if (!route.startsWith(`${table.prefix}/`)) return null;
  const path = route.slice(table.prefix.length);
  const upstreamPath = rawRoute.slice(table.prefix.length);
  const format = Object.hasOwn(table.bridged, path) ? table.bridged[path] : undefined;
  if (format !== undefined) return { kind: "bridged", format, label: path, upstreamPath };
  const label = table.passthrough.find((pattern) =>
    pattern.endsWith("/") ? path.startsWith(pattern) : path === pattern,
  );
  return label === undefined ? null : { kind: "passthrough", label, upstreamPath };
}

/**
 * The shape of errors for a path, before anything is known of the provider. Judged by the path's
 * end alone, so that the answer tells nobody which providers exist. Null: plain text.
 */
export function formatOfRoute(route: string): WireFormat | null {
  if (route.endsWith("/chat/completions")) return "chat_completions";
  if (route.endsWith("/responses")) return "responses";
  if (route.endsWith("/v1/messages") || route.endsWith("/v1/messages/count_tokens")) {
    return "messages";
  }
  return null;
}

const REPEATABLE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether a passthrough request that may have reached the provider can be sent once more. */
export function isRepeatable(method: string, label: string): boolean {
  return REPEATABLE_METHODS.has(method) || label === "/v1/messages/count_tokens";
}
