/**
 * Reads the head of an HTTP/1.1 request, but only of the plain kind that clients of models send. What
 * is not wholly understood is not refused but left to `node:http`, so that there is one judge of
 * odd requests, and nothing here can take a request for another than `node:http` would (RFC 9112).
 */
import type { IncomingHttpHeaders } from "node:http";

export type RequestHead = {
  readonly method: "GET" | "POST";
  /** The request target: begins with `/`. */
  readonly url: string;
  /** Name, value, name, value … as they came. */
  readonly rawHeaders: string[];
  /** By lower-case name; each name came once. */
  readonly headers: IncomingHttpHeaders;
  /** Bytes. */
  readonly contentLength: number;
  /** The client wants the connection closed after the answer. */
  readonly closes: boolean;
};

/** More is nothing that a client of models sends. */
const HEADERS_MAX = 100;
const REQUEST_LINE = /^(GET|POST) (\/[!-~]*) HTTP\/1\.1$/;
/** Apart from line ends. Texts beyond ASCII are left to node:http. */
const STRANGE_BYTE = /[^\t\r\n -~]|\r(?!\n)|(?<!\r)\n/;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const LENGTH = /^(?:0|[1-9]\d{0,9})$/;
const KEEP_ALIVE = /^keep-alive$/i;
const CLOSE = /^close$/i;

/** Headers that change what a message is, or where it ends. */
const CHANGES_MEANING: ReadonlySet<string> = new Set([
  "transfer-encoding",
  "upgrade",
  "expect",
  "te",
  "trailer",
  "http2-settings",
  "proxy-connection",
  "keep-alive",
  // Node's own object of headers has more than a string for it.
  "set-cookie",
]);

export function isBodyLength(value: string): boolean {
  return LENGTH.test(value);
}

/** `text`: Latin-1, up to and with the last header's line end. Null: for `node:http` to judge. */
export function parseRequestHead(text: string): RequestHead | null {
  if (STRANGE_BYTE.test(text)) return null;
  const lineEnd = text.indexOf("\r\n");
  const line = REQUEST_LINE.exec(text.slice(0, lineEnd));
  if (line === null) return null;
  const rawHeaders: string[] = [];
  const headers: Record<string, string> = {};
  for (let at = lineEnd + 2; at < text.length;) {
    const end = text.indexOf("\r\n", at);
    const colon = text.indexOf(":", at);
    if (end === -1 || colon === -1 || colon > end) return null;
    const name = text.slice(at, colon);
    if (!HEADER_NAME.test(name)) return null;
    const lowerName = name.toLowerCase();
    // Also what every object inherits, such as `constructor`.
    if (headers[lowerName] !== undefined || CHANGES_MEANING.has(lowerName)) return null;
    const value = text.slice(colon + 1, end).trim();
    headers[lowerName] = value;
    rawHeaders.push(name, value);
    at = end + 2;
  }
  if (rawHeaders.length > 2 * HEADERS_MAX) return null;
  const { host, connection = "keep-alive", "content-length": length = "0" } = headers;
  const closes = CLOSE.test(connection);
  if (host === undefined || !isBodyLength(length)) return null;
  if (!closes && !KEEP_ALIVE.test(connection)) return null;
  return {
    method: line[1] as RequestHead["method"],
    url: line[2] ?? "/",
    rawHeaders,
    headers,
    contentLength: Number(length),
    closes,
  };
}
