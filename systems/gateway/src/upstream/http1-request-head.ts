/**
 * Writes the head of an HTTP/1.1 request. Nothing that could end a line, or say twice where the body
 * ends, gets into it: a credential with a line end in it must not become a header.
 */
import type { UpstreamCall } from "./upstream-client.ts";

/** RFC 9110 §5.6.2 and §5.5, from the other side. */
const NOT_TOKEN = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const NOT_TEXT = /[^\t\x20-\x7e\x80-\xff]/;
const NOT_TARGET = /[^\x21-\x7e\x80-\xff]/;
/** Made here, or the connection's. */
const OURS: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "upgrade",
  "expect",
]);
/** Their servers expect a body, and are told that there is none (RFC 9110 §8.6). */
const BODY_METHODS: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** All but what the body's length decides. Each character is one byte. Null: the call cannot be written. */
export function toRequestLines(
  { method, path, headers }: Pick<UpstreamCall, "method" | "path" | "headers">,
  host: string,
): string | null {
  if (method === "" || method === "CONNECT" || NOT_TOKEN.test(method)) return null;
  if (!path.startsWith("/") || NOT_TARGET.test(path)) return null;
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`;
  let names = "";
  let values = "";
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? "";
    const value = headers[i + 1] ?? "";
    if (name === "" || (name.length <= 17 && OURS.has(name.toLowerCase()))) return null;
    names += name;
    values += value;
    head += `${name}: ${value}\r\n`;
  }
  // One look at all of them costs less than one at each.
  if (NOT_TOKEN.test(names) || NOT_TEXT.test(values)) return null;
  return head;
}

/** What follows the lines, up to the body. */
export function toRequestHeadEnd(method: string, body: UpstreamCall["body"]): string {
  if (body !== null) return `Content-Length: ${body.byteLength}\r\n\r\n`;
  return BODY_METHODS.has(method) ? "Content-Length: 0\r\n\r\n" : "\r\n";
}
