/** The head of an answer as HTTP/1.1 has it, with the same headers of its own that `node:http` adds. */
import { STATUS_CODES } from "node:http";
import type { ResponseLines } from "../relay/client-exchange.ts";

export type AnswerHeadText = {
  /** Latin-1. */
  readonly text: string;
  readonly framing: AnswerFraming;
  /** Whether it says that the connection ends after this answer. */
  readonly closes: boolean;
  /** Bytes of the body. Null: not announced. */
  readonly contentLength: number | null;
};

/** How a client finds the body's end. `length`: by Content-Length; `none`: there is no body. */
export type AnswerFraming = "chunked" | "length" | "none";

export type AnswerHeadInput = {
  readonly status: number;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  /** As HTTP writes it. */
  readonly date: string;
  readonly closes: boolean;
  readonly keepAliveSeconds: number;
};

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const STRANGE_VALUE = /[^\t -~\x80-\xff]/;

/** Throws for a name or value that could be taken for the end of a line, or for more than it is. */
export function answerHeadText(input: AnswerHeadInput): AnswerHeadText {
  const { status, headers } = input;
  let text = statusLine(status);
  let contentLength: number | null = null;
  let hasDate = false;
  let hasConnection = false;
  let closes = input.closes;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? "";
    const value = headers[i + 1] ?? "";
    if (!NAME.test(name) || STRANGE_VALUE.test(value)) {
      throw new TypeError(`The header ${JSON.stringify(name)} of an answer cannot be sent`);
    }
    if (name.length === 14 && isName(name, "content-length")) {
      contentLength = Number(value);
    } else if (name.length === 4 && isName(name, "date")) hasDate = true;
    else if (name.length === 17 && isName(name, "transfer-encoding")) continue;
    else if (name.length === 10 && isName(name, "connection")) {
      // What else it may say is between the provider and us.
      if (!/^close$/i.test(value)) continue;
      closes = hasConnection = true;
    }
    text += `${name}: ${value}\r\n`;
  }
  if (!hasDate) text += `Date: ${input.date}\r\n`;
  if (!closes || !hasConnection) text += connectionLines(closes, input.keepAliveSeconds);
  const framing = framingOf(status, contentLength !== null);
  if (framing === "chunked") text += "Transfer-Encoding: chunked\r\n";
  return { text: `${text}\r\n`, framing, closes, contentLength };
}

/** The same of lines that were read from a head, and hold nothing that could be taken for a line's end. */
export function answerLinesText(
  { lines, contentLength, hasDate }: ResponseLines,
  { status, date, closes, keepAliveSeconds }: Omit<AnswerHeadInput, "headers">,
): AnswerHeadText {
  const framing = framingOf(status, contentLength !== null);
  const dateLine = hasDate ? "" : `Date: ${date}\r\n`;
  const framingLine = framing === "chunked" ? "Transfer-Encoding: chunked\r\n" : "";
  const connection = connectionLines(closes, keepAliveSeconds);
  const text = `${statusLine(status)}${lines}${dateLine}${connection}${framingLine}\r\n`;
  return { text, framing, closes, contentLength };
}

function statusLine(status: number): string {
  return status === 200
    ? "HTTP/1.1 200 OK\r\n"
    : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
}

function connectionLines(closes: boolean, keepAliveSeconds: number): string {
  return closes
    ? "Connection: close\r\n"
    : `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds}\r\n`;
}

function framingOf(status: number, hasLength: boolean): AnswerFraming {
  if (status === 204 || status === 304) return "none";
  return hasLength ? "length" : "chunked";
}

function isName(name: string, lowerName: string): boolean {
  return name === lowerName || name.toLowerCase() === lowerName;
}
