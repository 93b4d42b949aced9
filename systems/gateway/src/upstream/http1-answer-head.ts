/**
 * Reads the head of an HTTP/1.1 answer: status line, fields, and what they say about the body's end
 * and the connection's. Strict (RFC 9112): what two readers could understand differently is a fault,
 * because whoever can make us and a provider disagree about where an answer ends can put words into
 * the next caller's answer.
 */
import { fail, ok, type Result } from "@atelier/base/result";

export type AnswerFault =
  | "HEAD_MALFORMED"
  | "HEAD_TOO_LARGE"
  | "FRAMING_AMBIGUOUS"
  | "PROTOCOL_SWITCHED"
  | "INTERIM_ANSWERS_ENDLESS"
  | "CHUNK_MALFORMED"
  | "TRAILER_MALFORMED"
  | "ENDED_EARLY";

export type AnswerFraming =
  | { readonly kind: "empty" }
  | { readonly kind: "sized"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until_close" };

export type AnswerHead = {
  readonly status: number;
  /** Raw pairs. */
  readonly rawHeaders: string[];
  readonly framing: AnswerFraming;
  /** Whether the connection may carry another exchange. */
  readonly isPersistent: boolean;
  /** How long the server says it keeps the connection without use. Null: it does not say. */
  readonly keepAliveMs: number | null;
};

/** Fields of one head. Providers send some 40; node:http stops at 2,000. */
const FIELDS_MAX = 512;
/** RFC 9110 §5.6.2, from the other side. */
const NOT_TOKEN = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
/** RFC 9110 §5.5, from the other side: neither visible, nor space, nor tab, nor beyond ASCII. */
const NOT_TEXT = /[^\t\x20-\x7e\x80-\xff]/;

/** `text` is the head without its last empty line, each character one byte. */
export function parseAnswerHead(text: string, method: string): Result<AnswerHead, AnswerFault> {
  const lineEnd = text.indexOf("\r\n");
  const line = lineEnd === -1 ? text : text.slice(0, lineEnd);
  const status = statusOf(line);
  if (status === null) return fail("HEAD_MALFORMED");
  const rawHeaders = lineEnd === -1 ? [] : parseFields(text, lineEnd + 2);
  if (rawHeaders === null) return fail("HEAD_MALFORMED");
  if (status === 101) return fail("PROTOCOL_SWITCHED");
  const said = readFraming(rawHeaders);
  if (said === null) return fail("FRAMING_AMBIGUOUS");
  const isOldVersion = line.startsWith("HTTP/1.0");
  const hasFraming = said.isChunked || said.length !== null;
  // Nothing that HTTP/1.0 defines; an intermediary of that age would read the body otherwise.
  if (isOldVersion && (said.isChunked || status < 200)) return fail("FRAMING_AMBIGUOUS");
  // More is to come, so it can neither have a body nor be the last.
  if (status < 200 && (hasFraming || said.closes)) return fail("FRAMING_AMBIGUOUS");
  const isBodyless = status < 200 || status === 204 || status === 304 || method === "HEAD";
  const framing = isBodyless ? EMPTY : framingOf(said);
  // A server that announces a body where there is none may send it all the same.
  const isDubious = status === 204 && (said.isChunked || (said.length ?? 0) > 0);
  const isPersistent =
    !isOldVersion && !said.closes && !isDubious && framing.kind !== "until_close";
  return ok({ status, rawHeaders, framing, isPersistent, keepAliveMs: said.keepAliveMs });
}

/** Raw pairs from lines that each end with CR LF or the text. Null: a line is no field. */
export function parseFields(text: string, from: number): string[] | null {
  const pairs: string[] = [];
  let names = "";
  let values = "";
  let at = from;
  while (at < text.length) {
    let end = text.indexOf("\r\n", at);
    if (end === -1) end = text.length;
    const colon = text.indexOf(":", at);
    if (colon === -1 || colon === at || end < colon) return null;
    const name = text.slice(at, colon);
    const value = trimmed(text, colon + 1, end);
    names += name;
    values += value;
    if (pairs.length === 2 * FIELDS_MAX) return null;
    pairs.push(name, value);
    at = end + 2;
  }
  // One look at all of them. A folded line and a space before the colon are no tokens either.
  if (NOT_TOKEN.test(names) || NOT_TEXT.test(values)) return null;
  return pairs;
}

/** `HTTP/1.1 200`, and a reason that is passed over. */
function statusOf(line: string): number | null {
  if (!line.startsWith("HTTP/1.1 ") && !line.startsWith("HTTP/1.0 ")) return null;
  if (NOT_TEXT.test(line)) return null;
  let status = 0;
  for (let i = 9; i < 12; i += 1) {
    const digit = line.charCodeAt(i) - 0x30;
    if (!(0 <= digit && digit <= 9)) return null;
    status = 10 * status + digit;
  }
  if (line.length > 12 && line.charAt(12) !== " ") return null;
  return 100 <= status ? status : null;
}

type SaidFraming = {
  readonly length: number | null;
  readonly isChunked: boolean;
  readonly closes: boolean;
  readonly keepAliveMs: number | null;
};

/** Null: it says two things. */
function readFraming(pairs: readonly string[]): SaidFraming | null {
  let length: number | null = null;
  let isChunked = false;
  let closes = false;
  let keepAliveMs: number | null = null;
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const name = pairs[i] ?? "";
    const value = pairs[i + 1] ?? "";
    // The length tells most names apart before a lower-case copy is made.
    if (name.length === 14 && name.toLowerCase() === "content-length") {
      if (length !== null || !/^\d{1,15}$/.test(value)) return null;
      length = Number(value);
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      // Other codings would reach the client, who did not ask for them.
      if (isChunked || value.toLowerCase() !== "chunked") return null;
      isChunked = true;
    } else if (name.length === 10 && name.toLowerCase() === "connection") {
      closes ||= value.split(",").some((each) => each.trim().toLowerCase() === "close");
    } else if (name.length === 10 && name.toLowerCase() === "keep-alive") {
      const seconds = /(?:^|[,\s])timeout\s*=\s*"?(\d{1,6})/i.exec(value)?.[1];
      if (seconds !== undefined) keepAliveMs = 1_000 * Number(seconds);
    }
  }
  if (isChunked && length !== null) return null;
  return { length, isChunked, closes, keepAliveMs };
}

const EMPTY: AnswerFraming = { kind: "empty" };
const CHUNKED: AnswerFraming = { kind: "chunked" };
const UNTIL_CLOSE: AnswerFraming = { kind: "until_close" };

function framingOf({ isChunked, length }: SaidFraming): AnswerFraming {
  if (isChunked) return CHUNKED;
  if (length === null) return UNTIL_CLOSE;
  return length === 0 ? EMPTY : { kind: "sized", bytes: length };
}

/** Without the spaces and tabs around it. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (start < end && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
