/**
 * The headers of a provider's answer as the client gets them: all of them (request ids, rate limits,
 * content type), less the connection's own and what would speak for our host.
 */
const DROPPED: ReadonlySet<string> = new Set([
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

export type AnswerHead = {
  /** Raw pairs. */
  readonly headers: string[];
  readonly contentType: string;
  /** Empty: the body is not compressed. */
  readonly contentEncoding: string;
  readonly isEventStream: boolean;
};

export function toAnswerHead(rawHeaders: readonly string[]): AnswerHead {
  const headers: string[] = [];
  let contentType = "";
  let contentEncoding = "";
  let hasCacheControl = false;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    const value = rawHeaders[i + 1] ?? "";
    const lower = name.toLowerCase();
    if (DROPPED.has(lower)) continue;
    if (lower === "content-type") contentType = value;
    else if (lower === "content-encoding") contentEncoding = value.trim().toLowerCase();
    else if (lower === "cache-control") hasCacheControl = true;
    headers.push(name, value);
  }
  if (contentEncoding === "identity") contentEncoding = "";
  const isEventStream = contentType.trim().toLowerCase().startsWith("text/event-stream");
  if (isEventStream) {
    // Proxies in front of us must not hold events back.
    headers.push("X-Accel-Buffering", "no");
    if (!hasCacheControl) headers.push("Cache-Control", "no-cache");
  }
  return { headers, contentType, contentEncoding, isEventStream };
}
