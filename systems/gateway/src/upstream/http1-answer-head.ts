/**
 * Reads the head of an HTTP/1.1 answer: status line, fields, and what they say about the body's end
 * and the connection's. Strict (RFC 9112): what two readers could understand differently is a fault,
 * because whoever can make us and a provider disagree about where an answer ends can put words into
 * the next caller's answer.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { HeadFields } from "./head-fields.ts";

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
  readonly fields: HeadFields;
  readonly framing: AnswerFraming;
  /** Whether the connection may carry another exchange. */
  readonly isPersistent: boolean;
  /** How long the server says it keeps the connection without use. Null: it does not say. */
  readonly keepAliveMs: number | null;
};

/** RFC 9110 §5.5, from the other side: neither visible, nor space, nor tab, nor beyond ASCII. */
const NOT_TEXT = /[^\t\x20-\x7e\x80-\xff]/;

/** `text` is the head without its last empty line, each character one byte; `bytes` is the same. */
export function parseAnswerHead(
  text: string,
  bytes: Uint8Array,
  method: string,
): Result<AnswerHead, AnswerFault> {
  const lineEnd = text.indexOf("\r\n");
  const line = lineEnd === -1 ? text : text.slice(0, lineEnd);
  const status = statusOf(line);
  if (status === null) return fail("HEAD_MALFORMED");
  const fields = HeadFields.read(text, lineEnd === -1 ? text.length : lineEnd + 2, bytes);
  if (fields === null) return fail("HEAD_MALFORMED");
  if (status === 101) return fail("PROTOCOL_SWITCHED");
  const said = readFraming(fields);
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
  return ok({ status, fields, framing, isPersistent, keepAliveMs: said.keepAliveMs });
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
function readFraming(fields: HeadFields): SaidFraming | null {
  let length: number | null = null;
  let isChunked = false;
  let closes = false;
  let keepAliveMs: number | null = null;
  for (let i = 0; i < fields.count; i += 1) {
    const nameLength = fields.nameLength(i);
    if (nameLength === 14 && fields.isNamed(i, "content-length")) {
      const value = fields.value(i);
      if (length !== null || !/^\d{1,15}$/.test(value)) return null;
      length = Number(value);
    } else if (nameLength === 17 && fields.isNamed(i, "transfer-encoding")) {
      // Other codings would reach the client, who did not ask for them.
      if (isChunked || fields.value(i).toLowerCase() !== "chunked") return null;
      isChunked = true;
    } else if (nameLength !== 10) {
      continue;
    } else if (fields.isNamed(i, "connection")) {
      const said = fields.value(i).split(",");
      closes ||= said.some((each) => each.trim().toLowerCase() === "close");
    } else if (fields.isNamed(i, "keep-alive")) {
      const seconds = /(?:^|[,\s])timeout\s*=\s*"?(\d{1,6})/i.exec(fields.value(i))?.[1];
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
