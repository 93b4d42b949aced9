/**
 * The headers of a provider's answer as the client gets them: all of them (request ids, rate limits,
 * content type), less the connection's own and what would speak for our host.
 */
import { HeaderNames } from "./header-names.ts";

const DROPPED = new HeaderNames([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  // They would bind the client to the provider's host under our name.
  "set-cookie",
  "alt-svc",
  "strict-transport-security",
]);

/** What a body is. */
export type AnswerKind = {
  readonly contentType: string;
  /** Empty: the body is not compressed. */
  readonly contentEncoding: string;
  readonly isEventStream: boolean;
};

export type AnswerHead = AnswerKind & {
  /** Raw pairs. */
  readonly headers: string[];
};

export function toAnswerHead(rawHeaders: readonly string[]): AnswerHead {
  const kind = answerKindOf(rawHeaders);
  const headers: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (!DROPPED.has(name)) headers.push(name, rawHeaders[i + 1] ?? "");
  }
  if (kind.isEventStream) {
    // Proxies in front of us must not hold events back.
    headers.push("X-Accel-Buffering", "no");
    if (!hasCacheControl(rawHeaders)) headers.push("Cache-Control", "no-cache");
  }
  return { ...kind, headers };
}

export function answerKindOf(rawHeaders: readonly string[]): AnswerKind {
  let contentType = "";
  let contentEncoding = "";
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (isNamed(name, "content-type")) contentType = rawHeaders[i + 1] ?? "";
    else if (isNamed(name, "content-encoding"))
      contentEncoding = (rawHeaders[i + 1] ?? "").trim().toLowerCase();
  }
  if (contentEncoding === "identity") contentEncoding = "";
  const isEventStream = contentType.trim().toLowerCase().startsWith("text/event-stream");
  return { contentType, contentEncoding, isEventStream };
}

function hasCacheControl(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((part, i) => i % 2 === 0 && isNamed(part, "cache-control"));
}

/** The length tells most names apart before a lower-case copy is made. */
function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && name.toLowerCase() === lower;
}
