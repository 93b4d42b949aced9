/**
 * Takes the bytes of one connection apart into answers, however they are cut into pieces. Strict:
 * what is not plainly HTTP/1.1 is a fault, and after a fault nothing more is understood.
 *
 * Bodies go to the sink as slices of the pieces that came in. Within one piece, the data of many
 * small chunks is moved together in place, so that the sink is called once for it: a provider's
 * stream often packs dozens of events into one read.
 */
import { HeadFields } from "./head-fields.ts";
import { parseAnswerHead, type AnswerFault, type AnswerFraming } from "./http1-answer-head.ts";
import { LineGatherer } from "./line-gatherer.ts";

export interface AnswerSink {
  /** Once for an answer: interim answers are passed over. */
  head(status: number, rawHeaders: readonly string[], fields: HeadFields): void;
  /** False: what follows is held until `proceed`. The bytes are the sink's from then on. */
  data(chunk: Buffer): boolean;
}

/** `more`: bytes are missing. `held`: the sink said so. `whole`: the answer ended. */
export type AnswerProgress = "more" | "held" | "whole" | "faulty";

/** Of one chunk's size line. Nobody is known to send extensions. */
const EXTENSION_BYTES_MAX = 4 * 1024;
/** 52 bits. */
const SIZE_DIGITS_MAX = 13;
/** A guess: more than a server with something to say sends before its answer. */
const INTERIM_ANSWERS_MAX = 16;
/** Moving more than this costs as much as another call of the sink (docs/discoveries/upstream-client.md). */
const MOVED_BYTES_MAX = 16 * 1024;

type Stage = "head" | "sized" | "until_close" | "chunked" | "whole" | "faulty";
type ChunkStage =
  | "size"
  | "extension"
  | "size_end"
  | "data"
  | "data_cr"
  | "data_lf"
  | "trailer_start"
  | "trailer_end"
  | "trailer";

export class Http1AnswerParser {
  readonly #sink: AnswerSink;
  readonly #lines = new LineGatherer();
  #method = "";
  #stage: Stage = "whole";
  #chunkStage: ChunkStage = "size";
  #fault: AnswerFault | null = null;
  #hasBytes = false;
  #hasSurplus = false;
  #isPersistent = false;
  #keepAliveMs: number | null = null;
  #interimAnswers = 0;
  /** Bytes of the body, or of its chunk, that are still to come. */
  #remaining = 0;
  #sizeDigits = 0;
  #extension = "";
  #held: Buffer | null = null;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** The next bytes answer a request with this method. */
  begin(method: string): void {
    this.#method = method;
    this.#stage = "head";
    this.#hasBytes = false;
    this.#isPersistent = false;
    this.#keepAliveMs = null;
    this.#interimAnswers = 0;
    this.#remaining = 0;
  }

  /** Why the last answer is `faulty`. */
  get fault(): AnswerFault | null {
    return this.#fault;
  }

  /** Whether anything of the answer has come. */
  get hasBytes(): boolean {
    return this.#hasBytes;
  }

  /** Whether the connection may carry another exchange after an answer that is `whole`. */
  get isReusable(): boolean {
    return this.#stage === "whole" && this.#isPersistent && !this.#hasSurplus;
  }

  /** How long the server says it keeps the connection. Null: it does not say. */
  get keepAliveMs(): number | null {
    return this.#keepAliveMs;
  }

  /** The chunk is the parser's from then on, and is changed. */
  push(chunk: Buffer): AnswerProgress {
    this.#hasBytes = true;
    return this.#run(chunk);
  }

  /** Goes on after `held`. */
  proceed(): AnswerProgress {
    const held = this.#held ?? NO_BYTES;
    this.#held = null;
    return this.#run(held);
  }

  /** The server ended its side, and nothing is held. */
  finish(): AnswerProgress {
    if (this.#stage === "until_close") this.#stage = "whole";
    if (this.#stage === "whole" || this.#stage === "faulty") return this.#stage;
    return this.#fail("ENDED_EARLY");
  }

  #run(chunk: Buffer): AnswerProgress {
    let at = 0;
    while (this.#stage === "head") {
      if (at === chunk.length) return "more";
      at = this.#readHead(chunk, at);
    }
    if (this.#stage === "chunked") return this.#readChunked(chunk, at);
    if (this.#stage === "whole" || this.#stage === "faulty") return this.#progressAt(chunk, at);
    return this.#readPlain(chunk, at);
  }

  /** With nothing left to read of the answer, or of the chunk. */
  #progressAt(chunk: Buffer, at: number): AnswerProgress {
    if (this.#stage === "faulty") return "faulty";
    if (this.#stage !== "whole") return "more";
    if (at < chunk.length) this.#hasSurplus = true;
    return "whole";
  }

  /** Answers where the rest begins. */
  #readHead(chunk: Buffer, from: number): number {
    const at = this.#lines.take(chunk, from);
    const { text, bytes } = this.#lines;
    if (text === null) {
      if (this.#lines.isTooLarge) this.#fail("HEAD_TOO_LARGE");
      else if (!this.#lines.mayBecomeHead()) this.#fail("HEAD_MALFORMED");
      return at;
    }
    const head = parseAnswerHead(text, bytes, this.#method);
    this.#lines.forget();
    if (!head.ok) {
      this.#fail(head.failure);
      return at;
    }
    const { status, fields, framing, isPersistent, keepAliveMs } = head.value;
    if (status < 200) {
      this.#interimAnswers += 1;
      if (this.#interimAnswers > INTERIM_ANSWERS_MAX) this.#fail("INTERIM_ANSWERS_ENDLESS");
      return at;
    }
    this.#isPersistent = isPersistent;
    this.#keepAliveMs = keepAliveMs;
    this.#beginBody(framing);
    this.#sink.head(status, fields.pairs(), fields);
    return at;
  }

  #beginBody(framing: AnswerFraming): void {
    switch (framing.kind) {
      case "empty":
        this.#stage = "whole";
        break;
      case "sized":
        this.#stage = "sized";
        this.#remaining = framing.bytes;
        break;
      case "chunked":
        this.#stage = "chunked";
        this.#beginChunk();
        break;
      case "until_close":
        this.#stage = "until_close";
        this.#remaining = Number.POSITIVE_INFINITY;
        break;
    }
  }

  #beginChunk(): void {
    this.#chunkStage = "size";
    this.#remaining = 0;
    this.#sizeDigits = 0;
  }

  #readPlain(chunk: Buffer, from: number): AnswerProgress {
    if (from === chunk.length) return "more";
    const end = Math.min(chunk.length, from + this.#remaining);
    this.#remaining -= end - from;
    if (this.#remaining === 0) this.#stage = "whole";
    if (!this.#sink.data(slice(chunk, from, end))) return this.#hold(chunk, end);
    return this.#progressAt(chunk, end);
  }

  #readChunked(chunk: Buffer, from: number): AnswerProgress {
    let at = from;
    // The data that is gathered for the sink, within this chunk.
    let start = from;
    let end = from;
    while (at < chunk.length && this.#stage === "chunked") {
      const plainAt = this.#plainChunkAt(chunk, at);
      if (plainAt !== -1) {
        if (start === end) start = end = plainAt;
        else chunk.copyWithin(end, plainAt, plainAt + this.#remaining);
        end += this.#remaining;
        at = plainAt + this.#remaining + LINE_END_BYTES;
        this.#beginChunk();
        continue;
      }
      if (this.#chunkStage !== "data") {
        at = this.#readFramingByte(chunk, at);
        continue;
      }
      const bytes = Math.min(this.#remaining, chunk.length - at);
      if (start < end && bytes > MOVED_BYTES_MAX) {
        const isKeepingUp = this.#sink.data(slice(chunk, start, end));
        start = end = at;
        if (!isKeepingUp) return this.#hold(chunk, at);
      }
      if (start === end) start = end = at;
      else chunk.copyWithin(end, at, at + bytes);
      end += bytes;
      at += bytes;
      this.#remaining -= bytes;
      if (this.#remaining === 0) this.#chunkStage = "data_cr";
    }
    if (start < end && !this.#sink.data(slice(chunk, start, end))) return this.#hold(chunk, at);
    return this.#progressAt(chunk, at);
  }

  /**
   * Nearly all chunks are short, whole, and framed by nothing but their size: where the data of such a one
   * begins, which is `#remaining` long. -1: whatever comes is read step by step.
   */
  #plainChunkAt(chunk: Buffer, from: number): number {
    if (this.#chunkStage !== "size" || this.#sizeDigits !== 0) return -1;
    let size = 0;
    let at = from;
    for (const to = Math.min(chunk.length, from + PLAIN_DIGITS_MAX); at < to; at += 1) {
      const digit = hexDigit(chunk[at] ?? 0);
      if (digit === -1) break;
      size = 16 * size + digit;
    }
    const data = at + LINE_END_BYTES;
    const end = data + size;
    const isPlain = 0 < size && size <= MOVED_BYTES_MAX && end + LINE_END_BYTES <= chunk.length;
    if (!isPlain || chunk[at] !== CR || chunk[at + 1] !== LF) return -1;
    if (chunk[end] !== CR || chunk[end + 1] !== LF) return -1;
    this.#remaining = size;
    return data;
  }

  /** One step through what stands around chunks. Answers where the rest begins. */
  #readFramingByte(chunk: Buffer, at: number): number {
    const byte = chunk[at] ?? 0;
    switch (this.#chunkStage) {
      case "size":
        this.#readSizeByte(byte);
        return at + 1;
      case "extension":
        return this.#readExtension(chunk, at);
      case "size_end":
        this.#expect(byte, LF, this.#remaining === 0 ? "trailer_start" : "data");
        return at + 1;
      case "data":
        return at; // No framing.
      case "data_cr":
        this.#expect(byte, CR, "data_lf");
        return at + 1;
      case "data_lf":
        if (byte === LF) this.#beginChunk();
        else this.#fail("CHUNK_MALFORMED");
        return at + 1;
      case "trailer_start":
        this.#chunkStage = byte === CR ? "trailer_end" : "trailer";
        return byte === CR ? at + 1 : at;
      case "trailer_end":
        if (byte === LF) this.#stage = "whole";
        else this.#fail("TRAILER_MALFORMED");
        return at + 1;
      case "trailer":
        return this.#readTrailer(chunk, at);
    }
  }

  #expect(byte: number, expected: number, next: ChunkStage): void {
    if (byte === expected) this.#chunkStage = next;
    else this.#fail("CHUNK_MALFORMED");
  }

  #readSizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit !== -1 && this.#sizeDigits < SIZE_DIGITS_MAX) {
      this.#remaining = 16 * this.#remaining + digit;
      this.#sizeDigits += 1;
    } else if (byte === CR && this.#sizeDigits > 0) {
      this.#chunkStage = "size_end";
    } else if (byte === SEMICOLON && this.#sizeDigits > 0) {
      this.#chunkStage = "extension";
      this.#extension = ";";
    } else {
      this.#fail("CHUNK_MALFORMED");
    }
  }

  #readExtension(chunk: Buffer, from: number): number {
    const cr = chunk.indexOf(CR, from);
    const end = cr === -1 ? chunk.length : cr;
    const room = EXTENSION_BYTES_MAX - this.#extension.length;
    if (end - from > room) this.#fail("CHUNK_MALFORMED");
    else this.#extension += chunk.toString("latin1", from, end);
    if (cr === -1) return end;
    if (EXTENSIONS.test(this.#extension)) this.#chunkStage = "size_end";
    else this.#fail("CHUNK_MALFORMED");
    return end + 1;
  }

  #readTrailer(chunk: Buffer, from: number): number {
    const at = this.#lines.take(chunk, from);
    const { text, bytes } = this.#lines;
    if (text === null) {
      if (this.#lines.isTooLarge || this.#lines.hasBareLineEnd) this.#fail("TRAILER_MALFORMED");
      return at;
    }
    const fields = HeadFields.read(text, 0, bytes);
    this.#lines.forget();
    // Providers send none that a client could use. Framing does not change at its end.
    if (fields === null || saysFraming(fields)) this.#fail("TRAILER_MALFORMED");
    else this.#stage = "whole";
    return at;
  }

  #hold(chunk: Buffer, from: number): AnswerProgress {
    this.#held = chunk.subarray(from);
    return "held";
  }

  #fail(fault: AnswerFault): AnswerProgress {
    this.#stage = "faulty";
    this.#fault = fault;
    return "faulty";
  }
}

const NO_BYTES = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const LINE_END_BYTES = 2;
/** Of a size that is read at once: enough for `MOVED_BYTES_MAX`. */
const PLAIN_DIGITS_MAX = 4;
/** RFC 9112 §7.1.1, without the spaces that it calls bad. */
const EXTENSIONS =
  /^(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t\x20!#-[\]-~\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)+$/;

function hexDigit(byte: number): number {
  if (0x30 <= byte && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return 0x61 <= lower && lower <= 0x66 ? lower - 0x57 : -1;
}

function slice(chunk: Buffer, start: number, end: number): Buffer {
  return start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end);
}

function saysFraming(fields: HeadFields): boolean {
  for (let i = 0; i < fields.count; i += 1) {
    const length = fields.nameLength(i);
    if (length === 14 && fields.isNamed(i, "content-length")) return true;
    if (length === 17 && fields.isNamed(i, "transfer-encoding")) return true;
  }
  return false;
}
