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

/** The head of an answer as text that was read, and found to be nothing but whole lines. */
export interface HeadLines {
  readonly text: string;
  /** Of its lines. */
  readonly count: number;
  nameLength(i: number): number;
  /** In whatever case it is written; the name is as long. */
  isNamed(i: number, lowerName: string): boolean;
  value(i: number): string;
  /** For `count`, where the last line ends. */
  lineStart(i: number): number;
}

/** As AnswerHead, in lines that each end with CR LF, ready to be sent. */
export type AnswerLines = AnswerKind & {
  readonly lines: string;
  /** Bytes of the body. Null: not announced. */
  readonly contentLength: number | null;
  readonly hasDate: boolean;
};

/** The same as toAnswerHead makes of the names and values, at the cost of a few copies of many lines. */
export function toAnswerLines(head: HeadLines): AnswerLines {
  let contentType = "";
  let contentEncoding = "";
  let contentLength: number | null = null;
  let hasDate = false;
  let saysCaching = false;
  let lines = "";
  let keptFrom = head.lineStart(0);
  for (let i = 0; i < head.count; i += 1) {
    const length = head.nameLength(i);
    if (isDropped(head, i, length)) {
      lines += head.text.slice(keptFrom, head.lineStart(i));
      keptFrom = head.lineStart(i + 1);
    } else if (length === 4) hasDate ||= head.isNamed(i, "date");
    else if (length === 12 && head.isNamed(i, "content-type")) contentType = head.value(i);
    else if (length === 13) saysCaching ||= head.isNamed(i, "cache-control");
    else if (length === 14 && head.isNamed(i, "content-length")) {
      contentLength = Number(head.value(i));
    } else if (length === 16 && head.isNamed(i, "content-encoding")) {
      contentEncoding = head.value(i);
    }
  }
  lines += head.text.slice(keptFrom);
  if (lines !== "" && !lines.endsWith("\r\n")) lines += "\r\n";
  const kind = kindOf(contentType, contentEncoding);
  if (kind.isEventStream) {
    lines += "X-Accel-Buffering: no\r\n";
    if (!saysCaching) lines += "Cache-Control: no-cache\r\n";
  }
  return {
    contentType,
    contentEncoding: kind.contentEncoding,
    isEventStream: kind.isEventStream,
    lines,
    contentLength,
    hasDate,
  };
}

function isDropped(head: HeadLines, i: number, length: number): boolean {
  const names = DROPPED.ofLength(length);
  if (names === undefined) return false;
  for (const name of names) if (head.isNamed(i, name)) return true;
  return false;
}

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
    if (!namesCacheControl(rawHeaders)) headers.push("Cache-Control", "no-cache");
  }
  return { ...kind, headers };
}

export function answerKindOf(rawHeaders: readonly string[]): AnswerKind {
  let contentType = "";
  let contentEncoding = "";
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (isNamed(name, "content-type")) contentType = rawHeaders[i + 1] ?? "";
    else if (isNamed(name, "content-encoding")) contentEncoding = rawHeaders[i + 1] ?? "";
  }
  return kindOf(contentType, contentEncoding);
}

function kindOf(contentType: string, saidEncoding: string): AnswerKind {
  const encoding = saidEncoding === "" ? "" : saidEncoding.trim().toLowerCase();
  const isEventStream = contentType.trim().toLowerCase().startsWith("text/event-stream");
  return { contentType, contentEncoding: encoding === "identity" ? "" : encoding, isEventStream };
}

function namesCacheControl(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((part, i) => i % 2 === 0 && isNamed(part, "cache-control"));
}

/** The length tells most names apart before a lower-case copy is made. */
function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && name.toLowerCase() === lower;
}
