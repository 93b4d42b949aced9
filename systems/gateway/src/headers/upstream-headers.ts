/**
 * The headers of a request to a model provider: the client's own, less what is ours or the
 * connection's, plus the one credential that applies (spec gateway 3.5, 3.6, 2.6).
 *
 * Headers travel as raw pairs (name, value, name, value …), so that order, case and repeats stay.
 */
import type { Caller } from "@atelier/contract/rpc/gateway-ports";
import type { CredentialHeader } from "../routing/provider-kinds.ts";
import { HeaderNames } from "./header-names.ts";

/** These never go upstream. */
const DROPPED = new HeaderNames([
  // The connection's, not the message's (RFC 9110 §7.6.1).
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  // Made anew for the upstream.
  "host",
  "content-length",
  // Compressed answers could not be read on the way, and no body is worth it.
  "accept-encoding",
  // The applicable credential is added again.
  "authorization",
  "x-api-key",
  "api-key",
  // Ours.
  "cookie",
  "coder-session-token",
  "x-coder-ai-governance-token",
  "x-coder-ai-governance-request-id",
  "x-coder-agent-firewall-session-id",
  "x-coder-agent-firewall-sequence-number",
  // Which of our chats asks is nobody else's business.
  "x-coder-owner-id",
  "x-coder-chat-id",
  "x-coder-subchat-id",
  "x-coder-workspace-id",
  // Never accepted from a client: it selects whose account pays.
  "anthropic-workspace-id",
  // Added again where they apply.
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-port",
  // Whose trace a request belongs to is the provider's business only where an operator says so.
  "traceparent",
  "tracestate",
  "baggage",
]);

/** A client's copy would let it speak to the provider as somebody else. */
const ACTOR_PREFIX = "x-ai-bridge-actor";

export type UpstreamCredential = {
  readonly header: CredentialHeader;
  /** The whole header value. */
  readonly value: string;
};

export function toUpstreamHeaders(
  rawHeaders: readonly string[],
  credential: UpstreamCredential | null,
): string[] {
  const named = connectionNamed(rawHeaders);
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (DROPPED.has(name) || saysActor(name) || named?.has(name.toLowerCase()) === true) continue;
    kept.push(name, rawHeaders[i + 1] ?? "");
  }
  if (credential !== null) kept.push(credential.header, credential.value);
  return kept;
}

function saysActor(name: string): boolean {
  if (name.length < ACTOR_PREFIX.length) return false;
  return name.slice(0, ACTOR_PREFIX.length).toLowerCase() === ACTOR_PREFIX;
}

/** Who the request is for, told to the provider where the operator wants that. */
export function actorHeaders(caller: Caller): string[] {
  return [
    "X-AI-Bridge-Actor-ID",
    caller.userId,
    "X-AI-Bridge-Actor-Metadata-Username",
    caller.username,
  ];
}

/** For routes that only pass through: the chain of hops, and a user agent. */
export function forwardingHeaders(request: {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly peer: string | undefined;
  readonly isTls: boolean;
}): string[] {
  const made = ["X-Forwarded-Proto", request.isTls ? "https" : "http"];
  const host = request.headers["host"];
  if (typeof host === "string") made.push("X-Forwarded-Host", host);
  if (request.peer !== undefined) {
    const before = request.headers["x-forwarded-for"];
    const chain = Array.isArray(before) ? before.join(", ") : before;
    made.push("X-Forwarded-For", chain === undefined ? request.peer : `${chain}, ${request.peer}`);
  }
  if (request.headers["user-agent"] === undefined) made.push("User-Agent", "atelier");
  return made;
}

/** A key or token as it stands in its header. */
export function toCredential(header: CredentialHeader, secret: string): UpstreamCredential {
  return { header, value: header === "authorization" ? `Bearer ${secret}` : secret };
}

const CONNECTION = "connection";

/** Names that the client's own Connection header marks as the connection's. Null: none. */
function connectionNamed(rawHeaders: readonly string[]): ReadonlySet<string> | null {
  let names: Set<string> | null = null;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] ?? "";
    if (header.length !== CONNECTION.length || header.toLowerCase() !== CONNECTION) continue;
    for (const name of (rawHeaders[i + 1] ?? "").split(",")) {
      const lower = name.trim().toLowerCase();
      if (lower === "keep-alive" || lower === "close" || lower === "") continue;
      names ??= new Set();
      names.add(lower);
    }
  }
  return names;
}
