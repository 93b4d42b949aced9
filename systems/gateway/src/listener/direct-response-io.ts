/**
 * An answer on a connection that this gateway writes itself. What there is to send is sent at once, a head with what
 * came with it: nothing that is done with it afterwards, such as observing it, holds it up. Only where the event loop
 * has more to do than time to do it do answers wait for each other: all but the first of a turn go out together at its
 * end. A stream that runs never waits: it has a pace of its own, and somebody who reads along.
 */
import type { Clock } from "@atelier/base/clock";
import { atEndOfTurn, waitsAlone, type TurnEnd } from "@atelier/host/end-of-turn";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { GatewayResponse, ResponseLines } from "../relay/client-exchange.ts";
import {
  answerHeadText,
  answerLinesText,
  type AnswerFraming,
  type AnswerHeadText,
} from "./answer-head.ts";
import type { DirectRequest } from "./direct-request-io.ts";

export type DirectResponseOptions = {
  readonly req: DirectRequest;
  /** The client wants the connection closed after the answer. */
  readonly closes: boolean;
  readonly keepAliveSeconds: number;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** As HTTP writes it. */
  date(): string;
  /** Whether this thread has more to do than time to do it. */
  isLoopFull(): boolean;
  /** The answer is written, and the connection free for another if it `staysOpen`. */
  onEnd(staysOpen: boolean): void;
};

/** From here on a copy into one piece costs more than the system call with several. */
const ONE_PIECE_BYTES_MAX = 32 * 1_024;
/** What waits for others. More goes out at once. */
const WAITING_BYTES_MAX = 65_536;
/** Longer than it takes to take one read apart, and shorter than any model's pace. */
const BURST_MS = 0.1;

const NEW_LINE = Buffer.from("\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

export class DirectResponse extends EventEmitter implements GatewayResponse, TurnEnd {
  readonly req: DirectRequest;
  headersSent = false;
  statusCode = 200;
  destroyed = false;
  readonly #options: DirectResponseOptions;
  readonly #socket: Socket;
  #closes: boolean;
  #framing: AnswerFraming = "chunked";
  #pieces: (string | Uint8Array)[] = [];
  /** Strings are Latin-1, so that their length is their bytes'. */
  #bytes = 0;
  #isFlushing = false;
  /** In this turn. */
  #hasSent = false;
  #isStream = false;
  /** The head has gone out. */
  #hasBegun = false;
  /** Of the last event of a stream that runs, in monotonic time. */
  #eventMs = Number.NEGATIVE_INFINITY;
  #hasEnded = false;
  /** Of the body, what the head announced and is not written yet. Null: it announced nothing. */
  #missing: number | null = null;

  constructor(options: DirectResponseOptions) {
    super();
    this.#options = options;
    this.req = options.req;
    this.#socket = options.req.socket;
    this.#closes = options.closes;
  }

  /** The connection is to end after this answer. Said to the client where the head is not written. */
  closeAfterwards(): void {
    this.#closes = true;
  }

  writeHead(status: number, headers: string[] | Record<string, string>): this {
    const pairs = Array.isArray(headers) ? headers : Object.entries(headers).flat();
    const { keepAliveSeconds } = this.#options;
    const date = this.#options.date();
    const closes = this.#closes;
    this.#begin(status, answerHeadText({ status, headers: pairs, date, closes, keepAliveSeconds }));
    return this;
  }

  writeLines(status: number, lines: ResponseLines): void {
    const { keepAliveSeconds } = this.#options;
    const date = lines.hasDate ? "" : this.#options.date();
    const closes = this.#closes;
    this.#begin(status, answerLinesText(lines, { status, date, closes, keepAliveSeconds }));
  }

  #begin(status: number, head: AnswerHeadText): void {
    if (this.headersSent) throw new Error("the head of this answer is written already");
    this.headersSent = true;
    this.statusCode = status;
    this.#framing = head.framing;
    this.#closes ||= head.closes;
    this.#missing = head.contentLength;
    this.#add(head.text);
  }

  flushHeaders(): void {
    this.#isStream = true;
    this.#flushLater();
  }

  write(chunk: Uint8Array): boolean {
    if (this.destroyed || this.#hasEnded) return true;
    if (this.#isStream && this.#hasBegun) this.#writeEvent(chunk);
    else this.#writeSoon(chunk);
    return !this.#socket.writableNeedDrain;
  }

  /** Of a stream that runs. Only a burst of events, such as one read of HTTP/2 may bring, goes together. */
  #writeEvent(chunk: Uint8Array): void {
    const nowMs = this.#options.clock.monotonicMs();
    const isBurst = nowMs - this.#eventMs < BURST_MS;
    this.#eventMs = nowMs;
    const bytes = chunk.byteLength;
    const isAlone = this.#pieces.length === 0 && this.#framing === "chunked";
    if (!isBurst && isAlone && 0 < bytes && bytes <= ONE_PIECE_BYTES_MAX) {
      // Framed in one go: it is most of what a gateway sends.
      this.#socket.write(framed(chunk));
      return;
    }
    this.#addBody(chunk);
    if (isBurst && this.#bytes < WAITING_BYTES_MAX) this.#flushLater();
    else this.#flush();
  }

  #writeSoon(chunk: Uint8Array): void {
    this.#addBody(chunk);
    if (this.#bytes >= WAITING_BYTES_MAX) this.#flush();
    else this.#flushSoon();
  }

  end(chunk?: Uint8Array): this {
    if (this.destroyed || this.#hasEnded) return this;
    if (chunk !== undefined) this.#addBody(chunk);
    if (this.#framing === "chunked") this.#add(LAST_CHUNK);
    this.#hasEnded = true;
    this.#flushLater();
    this.#flushSoon();
    return this;
  }

  destroy(): this {
    this.#socket.destroy();
    return this;
  }

  /** The connection is gone. */
  gone(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }

  #addBody(chunk: Uint8Array): void {
    if (chunk.byteLength === 0 || this.#framing === "none") return;
    if (this.#missing !== null) {
      this.#missing -= chunk.byteLength;
      return this.#add(chunk);
    }
    this.#add(`${chunk.byteLength.toString(16)}\r\n`);
    this.#add(chunk);
    this.#add(NEW_LINE);
  }

  #add(piece: string | Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  #flushLater(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    atEndOfTurn(this);
  }

  /**
   * Where there is no time, once in a turn: a peer that is woken by one of several writes is awake for the others, so
   * those go together.
   */
  #flushSoon(): void {
    if (!this.#options.isLoopFull()) return this.#flush();
    this.#flushLater();
    if (this.#hasSent || !waitsAlone(this)) return;
    this.#hasSent = true;
    this.#flush();
  }

  endTurn(): void {
    this.#isFlushing = false;
    this.#hasSent = false;
    this.#flush();
    if (this.#hasEnded && !this.destroyed) this.#over();
  }

  #flush(): void {
    const pieces = this.#pieces;
    if (pieces.length === 0 || this.destroyed) return;
    this.#pieces = [];
    this.#hasBegun = true;
    const bytes = this.#bytes;
    this.#bytes = 0;
    const socket = this.#socket;
    if (bytes <= ONE_PIECE_BYTES_MAX) {
      socket.write(joined(pieces, bytes));
      return;
    }
    socket.cork();
    for (const piece of pieces) {
      if (typeof piece === "string") socket.write(piece, "latin1");
      else socket.write(piece);
    }
    socket.uncork();
  }

  #over(): void {
    this.destroyed = true;
    // Neither side may take what comes next for the rest of this exchange.
    const isWhole = this.req.complete && (this.#missing ?? 0) === 0;
    this.#options.onEnd(!this.#closes && isWhole);
    this.emit("close");
  }
}

function joined(pieces: readonly (string | Uint8Array)[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === "string") whole.write(piece, at, "latin1");
    else whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const HEX = Buffer.from("0123456789abcdef");
const CR = 0x0d;
const LF = 0x0a;

/** One chunk of a chunked body, with its size before it. */
function framed(chunk: Uint8Array): Buffer {
  const bytes = chunk.byteLength;
  const digits = bytes < 0x10 ? 1 : bytes < 0x100 ? 2 : bytes < 0x1000 ? 3 : 4;
  const data = digits + NEW_LINE.length;
  const end = data + bytes;
  const whole = Buffer.allocUnsafe(end + NEW_LINE.length);
  for (let at = digits - 1, rest = bytes; at >= 0; at -= 1, rest >>= 4) {
    whole[at] = HEX[rest & 0xf] ?? 0;
  }
  whole[digits] = whole[end] = CR;
  whole[digits + 1] = whole[end + 1] = LF;
  whole.set(chunk, data);
  return whole;
}
