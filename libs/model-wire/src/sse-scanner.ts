/**
 * Splits a stream of server-sent events, as the HTML standard's parser does, but on bytes: lines may
 * end in CR, LF or CRLF, chunks may end anywhere, a byte order mark may come first.
 *
 * Events inside one chunk are handed out as views of it; only what a chunk's end cuts is copied, so no
 * chunk is kept. Unlike the standard, end() hands out a last event that no blank line closed: some
 * providers leave that line out.
 */
import { GrowingBytes } from "./growing-bytes.ts";

/** A guess: far above the largest event seen, a final `response.completed` of some 100 kB. */
export const SSE_EVENT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Called at each event's end. `name` is "" when the event has none; `data` is valid during the call
 * only. An oversized event comes with its name and no data.
 */
export type SseListener = (name: string, data: Uint8Array, isOversized: boolean) => void;

/** Where in an event the stream stands. */
export type UnfinishedEvent = {
  /** The line that the stream stands in; `none` where the next byte begins one. */
  readonly line: "none" | "data" | "other";
  /** The event's data so far, with the begun data line; null while no data line has begun. */
  readonly data: Uint8Array | null;
};

export class SseScanner {
  readonly #listener: SseListener;
  readonly #eventBytesMax: number;
  /** The line that the last chunk's end cut. */
  readonly #line = new GrowingBytes();
  /** The event's data, once it is more than one line or more than one chunk. */
  readonly #data = new GrowingBytes();
  /** The event's only data line, as a view of the current chunk or of #line. */
  #dataView: Uint8Array | null = null;
  #dataLines = 0;
  #name = "";
  #nameBytes = EMPTY;
  #nameOfBytes = "";
  #isOversized = false;
  /** The rest of the current line is of no use: a comment, or too long. */
  #skipsLine = false;
  /** The last chunk ended in CR: a LF that comes next belongs to it. */
  #skipsLineFeed = false;
  #isFirstLine = true;
  #unfinishedAtEnd: UnfinishedEvent | null = null;

  constructor(listener: SseListener, eventBytesMax = SSE_EVENT_BYTES_MAX) {
    this.#listener = listener;
    this.#eventBytesMax = eventBytesMax;
  }

  /** Whether the next byte begins an event, and not the first one. */
  get isBetweenEvents(): boolean {
    return (
      this.#line.length === 0 &&
      this.#dataLines === 0 &&
      this.#name === "" &&
      !this.#isFirstLine &&
      !this.#isOversized &&
      !this.#skipsLine &&
      !this.#skipsLineFeed &&
      this.#unfinishedAtEnd === null
    );
  }

  push(chunk: Uint8Array): void {
    if (this.#unfinishedAtEnd !== null || chunk.length === 0) return;
    let at = this.#skipsLineFeed && chunk[0] === LINE_FEED ? 1 : 0;
    this.#skipsLineFeed = false;
    let lineFeed = chunk.indexOf(LINE_FEED, at);
    let carriageReturn = chunk.indexOf(CARRIAGE_RETURN, at);
    for (;;) {
      const isReturn = carriageReturn !== -1 && (lineFeed === -1 || carriageReturn < lineFeed);
      const lineEnd = isReturn ? carriageReturn : lineFeed;
      if (lineEnd === -1) break;
      this.#endLine(chunk, at, lineEnd);
      at = lineEnd + 1;
      if (isReturn) {
        if (at === chunk.length) this.#skipsLineFeed = true;
        else if (chunk[at] === LINE_FEED) at += 1;
        carriageReturn = chunk.indexOf(CARRIAGE_RETURN, at);
      }
      if (lineFeed !== -1 && lineFeed < at) lineFeed = chunk.indexOf(LINE_FEED, at);
    }
    this.#keepData();
    if (at < chunk.length) this.#keepLine(chunk.subarray(at));
  }

  /** The stream ended. What it left open is handed out as if it were closed. */
  end(): void {
    if (this.#unfinishedAtEnd !== null) return;
    this.#unfinishedAtEnd = this.unfinished();
    if (this.#line.length !== 0) this.#endLine(EMPTY, 0, 0);
    this.#endEvent();
  }

  /** Where the stream stands, or stood when it ended. */
  unfinished(): UnfinishedEvent {
    if (this.#unfinishedAtEnd !== null) return this.#unfinishedAtEnd;
    const bytes = this.#line.view();
    const start = this.#skipByteOrderMark(bytes, 0);
    const valueStart = findValue(bytes, start, bytes.length, DATA);
    // `data` without a colon may become another field's name.
    const isData = valueStart !== -1 && start + DATA.length < bytes.length;
    const isOther = bytes.length !== 0 || this.#skipsLine;
    const data = new GrowingBytes();
    data.append(this.#dataView ?? this.#data.view());
    if (isData && this.#dataLines !== 0) data.append(NEW_LINE);
    if (isData) data.append(bytes.subarray(valueStart));
    return {
      line: isData ? "data" : isOther ? "other" : "none",
      data: isData || this.#dataLines !== 0 ? data.view() : null,
    };
  }

  /** The line ends at `end`. It began at `start`, or in an earlier chunk: then #line has the rest. */
  #endLine(chunk: Uint8Array, start: number, end: number): void {
    if (this.#line.length !== 0) this.#keepLine(chunk.subarray(start, end));
    if (this.#skipsLine) {
      this.#skipsLine = false;
      this.#isFirstLine = false;
    } else if (this.#line.length === 0) {
      this.#readLine(chunk, start, end);
    } else {
      this.#readLine(this.#line.view(), 0, this.#line.length);
      // The event's data may be a view of the line.
      this.#keepData();
      this.#line.clear();
    }
  }

  #keepLine(piece: Uint8Array): void {
    if (this.#skipsLine) return;
    if (this.#line.length === 0 && piece[0] === COLON) {
      this.#skipsLine = true;
    } else if (this.#eventBytesMax < this.#line.length + piece.length) {
      this.#dropData();
      this.#line.clear();
      this.#skipsLine = true;
    } else {
      this.#line.append(piece);
    }
  }

  #readLine(bytes: Uint8Array, lineStart: number, end: number): void {
    // The same line may come in one chunk or in many, and is too long in both cases.
    const isTooLong = this.#eventBytesMax < end - lineStart && bytes[lineStart] !== COLON;
    const start = this.#skipByteOrderMark(bytes, lineStart);
    this.#isFirstLine = false;
    if (isTooLong) {
      this.#dropData();
      return;
    }
    if (end <= start) {
      this.#endEvent();
      return;
    }
    const data = findValue(bytes, start, end, DATA);
    if (data !== -1) {
      this.#addData(bytes.subarray(data, end));
      return;
    }
    const name = findValue(bytes, start, end, EVENT);
    if (name !== -1) this.#name = this.#textOf(bytes, name, end);
  }

  #addData(value: Uint8Array): void {
    if (this.#isOversized) return;
    const kept = this.#dataView ?? this.#data.view();
    const bytes = this.#dataLines === 0 ? value.length : kept.length + 1 + value.length;
    if (this.#eventBytesMax < bytes) {
      this.#dropData();
      return;
    }
    if (this.#dataLines === 0) {
      this.#dataView = value;
    } else {
      this.#keepData();
      this.#data.append(NEW_LINE);
      this.#data.append(value);
    }
    this.#dataLines += 1;
  }

  /** Copies what is still only a view. */
  #keepData(): void {
    if (this.#dataView === null) return;
    this.#data.append(this.#dataView);
    this.#dataView = null;
  }

  #dropData(): void {
    this.#isOversized = true;
    this.#dataView = null;
    this.#data.clear();
    this.#dataLines = 0;
  }

  #endEvent(): void {
    if (this.#isOversized) this.#listener(this.#name, EMPTY, true);
    else if (this.#dataLines !== 0) {
      this.#listener(this.#name, this.#dataView ?? this.#data.view(), false);
    }
    this.#name = "";
    this.#dataView = null;
    this.#data.clear();
    this.#dataLines = 0;
    this.#isOversized = false;
  }

  /** A stream repeats few names, so the last one is mostly the next one, too. */
  #textOf(bytes: Uint8Array, start: number, end: number): string {
    if (!areEqual(this.#nameBytes, bytes, start, end)) {
      this.#nameBytes = bytes.slice(start, end);
      this.#nameOfBytes = UTF8.decode(this.#nameBytes);
    }
    return this.#nameOfBytes;
  }

  #skipByteOrderMark(line: Uint8Array, start: number): number {
    if (!this.#isFirstLine) return start;
    return BYTE_ORDER_MARK.every((byte, i) => line[start + i] === byte) ? start + 3 : start;
  }
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const EMPTY = new Uint8Array(0);
const NEW_LINE = Uint8Array.of(LINE_FEED);
const DATA = [0x64, 0x61, 0x74, 0x61];
const EVENT = [0x65, 0x76, 0x65, 0x6e, 0x74];

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Where the value begins in a line `field`, `field:value` or `field: value`; -1 in other lines. */
function findValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  field: readonly number[],
): number {
  const fieldEnd = start + field.length;
  if (end < fieldEnd) return -1;
  for (let i = 0; i < field.length; i += 1) if (bytes[start + i] !== field[i]) return -1;
  if (end === fieldEnd) return end;
  if (bytes[fieldEnd] !== COLON) return -1;
  return fieldEnd + 1 < end && bytes[fieldEnd + 1] === SPACE ? fieldEnd + 2 : fieldEnd + 1;
}

function areEqual(whole: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (whole.length !== end - start) return false;
  for (let i = 0; i < whole.length; i += 1) if (whole[i] !== bytes[start + i]) return false;
  return true;
}
