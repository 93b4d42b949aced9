/**
 * One connection of the raw client, carrying one exchange at a time. It goes back to its pool only
 * after an answer that ended where it said, with the whole request sent and nothing left over.
 *
 * A request is sent again, once and on a fresh connection, where a used connection closes at once
 * and no byte of an answer came: the server gave it up while our request was on its way. HTTP cannot
 * tell that apart from a server that took the request and died, so RFC 9110 §9.2.2 asks to know that
 * twice does no harm: the method says so, or whoever calls. docs/discoveries/upstream-client.md.
 */
import type { Clock } from "@atelier/base/clock";
import { atEndOfTurn, type TurnEnd } from "@atelier/host/end-of-turn";
import type { Socket } from "node:net";
import type { HeadFields } from "./head-fields.ts";
import { Http1AnswerParser, type AnswerProgress, type AnswerSink } from "./http1-answer-parser.ts";
import type { ExchangeCarrier, RawExchange } from "./raw-exchange-io.ts";
import type { ReadTarget, SharedRead } from "./shared-read-io.ts";
import { wholeBody, type UpstreamTimeouts } from "./upstream-client.ts";

export interface ConnectionPool {
  /** May carry another exchange. */
  release(connection: RawConnection): void;
  /** Is gone. */
  forget(connection: RawConnection): void;
  /** Needs a fresh connection. */
  resend(exchange: RawExchange): void;
  /** The server does not agree to HTTP/1.1. False: nobody else can send it. */
  handOver(exchange: RawExchange): boolean;
}

export type RawConnectionOptions = {
  readonly socket: Socket;
  /** Null: the socket tells what came as an event. */
  readonly read: SharedRead | null;
  /** The event of the socket that says that it can be written to. */
  readonly readyEvent: "connect" | "secureConnect";
  readonly pool: ConnectionPool;
  readonly timeouts: UpstreamTimeouts;
  /** Without use, where the server does not say. */
  readonly keepAliveMs: number;
  readonly clock: Clock;
  /** Whether this thread has more to do than time to do it. */
  isLoopFull(): boolean;
};

/** Copying less than this into one buffer costs less than a write of two. */
const JOINED_BODY_BYTES_MAX = 16 * 1024;
/** Of TCP's own probes, for connections that die in silence. */
const PROBE_AFTER_MS = 60_000;
/** Before the server's own limit, so that our request does not cross its close. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** Longer hints are not believed: what stands between may forget the connection. */
const KEEP_ALIVE_MS_MAX = 60_000;
/** A server's close that crossed our request arrives within one round trip; this is a slow one. */
const CROSSED_CLOSE_MS_MAX = 1_000;
const CROSSED_CLOSES: ReadonlySet<string> = new Set(["ENDED_EARLY", "ECONNRESET", "EPIPE"]);
/** The handshake's end where a server speaks none of the protocols that it is offered (RFC 7301 §3.2). */
const HTTP1_REFUSED = "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL";

export class RawConnection implements ExchangeCarrier, AnswerSink, ReadTarget, TurnEnd {
  readonly #options: RawConnectionOptions;
  readonly #socket: Socket;
  readonly #parser: Http1AnswerParser;
  #exchange: RawExchange | null = null;
  /** The last that was sent. */
  #written: RawExchange | null = null;
  #isReady = false;
  #isReused = false;
  #isHeld = false;
  #hasEnded = false;
  /** Bytes came since the last check. */
  #wasActive = false;
  /** Of what is waited for: connection, head, more of the body, another exchange. */
  #sinceMs: number;
  #sendingMs = 0;
  #keepAliveMs: number;

  constructor(options: RawConnectionOptions) {
    const { socket, readyEvent, clock, keepAliveMs } = options;
    this.#options = options;
    this.#socket = socket;
    this.#parser = new Http1AnswerParser(this);
    this.#keepAliveMs = keepAliveMs;
    this.#sinceMs = clock.monotonicMs();
    socket.setNoDelay(true);
    socket.once(readyEvent, () => this.#onReady());
    if (options.read === null) socket.on("data", (chunk: Buffer) => this.onData(chunk));
    else options.read.target = this;
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error) => this.#break(codeOf(error), textOf(error)));
    socket.on("close", () => this.#onClose());
  }

  /** Whether another exchange may be sent on it. Idle connections are read, so a close shows at once. */
  mayCarry(nowMs: number): boolean {
    return this.#socket.writable && !this.#hasEnded && nowMs - this.#sinceMs < this.#keepAliveMs;
  }

  carry(exchange: RawExchange): void {
    this.#exchange = exchange;
    exchange.moveTo(this);
    this.#parser.begin(exchange.method);
    if (!this.#isReady) return;
    this.#isReused = true;
    this.#sinceMs = this.#options.clock.monotonicMs();
    // Who waits for others of its turn is answered together with them, and asks together with them again: they stay a
    // flock. Only where there is no time for each by itself does it pay.
    if (this.#options.isLoopFull()) atEndOfTurn(this);
    else this.#write(exchange);
  }

  /** Writes the request that waited for the end of the turn. It may be over already, or sent on another connection. */
  endTurn(): void {
    const exchange = this.#exchange;
    if (exchange !== null && exchange !== this.#written) this.#write(exchange);
  }

  /** Closes it, unless it is in use. */
  retire(): void {
    if (this.#exchange === null) this.#socket.destroy();
  }

  resume(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#wasActive = true;
    const exchange = this.#exchange;
    try {
      this.#take(this.#parser.proceed());
      if (this.#isHeld) return;
      this.#socket.resume();
      if (this.#hasEnded) this.#finish();
    } catch (error) {
      this.#blame(exchange, error);
    }
  }

  drop(exchange: RawExchange): void {
    if (this.#exchange !== exchange) return;
    this.#exchange = null;
    this.#socket.destroy();
  }

  head(status: number, rawHeaders: readonly string[], fields: HeadFields): void {
    this.#exchange?.takeHead(status, rawHeaders, fields);
  }

  data(chunk: Buffer): boolean {
    return this.#exchange === null || this.#exchange.takeData(chunk);
  }

  /** Time passes: call it now and then. */
  check(nowMs: number, sinceLastMs: number): void {
    const { connectMsMax, headMsMax, silenceMsMax } = this.#options.timeouts;
    const exchange = this.#exchange;
    if (exchange === null) {
      if (!this.mayCarry(nowMs)) this.#socket.destroy();
    } else if (!this.#isReady) {
      if (nowMs - this.#sinceMs > connectMsMax) this.#expire("CONNECT_TIMEOUT");
    } else if (this.#isHeld || (exchange.hasHead && this.#wasActive)) {
      // Waiting for the client is not the provider's silence.
      this.#wasActive = false;
      this.#sinceMs = nowMs;
    } else if (exchange.hasHead) {
      if (nowMs - this.#sinceMs > silenceMsMax) this.#expire("BODY_TIMEOUT");
    } else if (!this.#parser.hasBytes && this.#socket.writableLength > 0) {
      // A large request on a slow line: the wait for its answer has not begun.
      this.#sinceMs = nowMs;
      this.#sendingMs += sinceLastMs;
      if (this.#sendingMs > silenceMsMax) this.#expire("REQUEST_TIMEOUT");
    } else if (nowMs - this.#sinceMs > (exchange.headMsMax ?? headMsMax)) {
      this.#expire("HEAD_TIMEOUT");
    }
  }

  #onReady(): void {
    this.#isReady = true;
    this.#socket.setKeepAlive(true, PROBE_AFTER_MS);
    if (this.#exchange !== null) this.#write(this.#exchange);
  }

  /** Head and body in one write to the kernel. */
  #write(exchange: RawExchange): void {
    const { head, body } = exchange;
    const socket = this.#socket;
    this.#written = exchange;
    this.#sinceMs = this.#options.clock.monotonicMs();
    this.#sendingMs = 0;
    this.#wasActive = false;
    if (body === null || body.byteLength === 0) {
      socket.write(head, "latin1");
    } else if (body.byteLength <= JOINED_BODY_BYTES_MAX) {
      const joined = Buffer.allocUnsafe(head.length + body.byteLength);
      joined.write(head, 0, "latin1");
      joined.set(wholeBody(body), head.length);
      socket.write(joined);
    } else {
      socket.cork();
      socket.write(head, "latin1");
      for (const piece of body instanceof Uint8Array ? [body] : body.pieces) socket.write(piece);
      socket.uncork();
    }
  }

  onData(chunk: Buffer): void {
    const exchange = this.#exchange;
    // Nobody asked.
    if (exchange === null) {
      this.#socket.destroy();
      return;
    }
    this.#wasActive = true;
    try {
      this.#take(this.#parser.push(chunk));
    } catch (error) {
      this.#blame(exchange, error);
    }
  }

  #onEnd(): void {
    this.#hasEnded = true;
    // A paused socket tells its end all the same.
    if (this.#isHeld) return;
    const exchange = this.#exchange;
    try {
      this.#finish();
    } catch (error) {
      this.#blame(exchange, error);
    }
  }

  #finish(): void {
    if (this.#exchange === null) this.#socket.destroy();
    else this.#take(this.#parser.finish());
  }

  #onClose(): void {
    this.#break("ENDED_EARLY", "the connection closed");
    this.#options.pool.forget(this);
  }

  #take(progress: AnswerProgress): void {
    // The listener may have cancelled while it was told.
    const exchange = this.#exchange;
    if (exchange === null || progress === "more") return;
    if (progress === "held") {
      this.#isHeld = true;
      this.#socket.pause();
    } else if (progress === "whole") {
      this.#complete(exchange);
    } else {
      const fault = this.#parser.fault ?? "HEAD_MALFORMED";
      this.#break(fault, `the answer is not HTTP as it should be: ${fault}`);
    }
  }

  #complete(exchange: RawExchange): void {
    this.#exchange = null;
    // A server may answer before it has read the request. What it still gets would look like the next.
    const isRequestSent = this.#socket.writableLength === 0;
    const hintMs = this.#parser.keepAliveMs;
    this.#keepAliveMs =
      hintMs === null
        ? this.#options.keepAliveMs
        : Math.min(hintMs - KEEP_ALIVE_MARGIN_MS, KEEP_ALIVE_MS_MAX);
    this.#sinceMs = this.#options.clock.monotonicMs();
    if (!this.#parser.isReusable || this.#keepAliveMs <= 0) this.#socket.destroy();
    else if (isRequestSent) this.#giveBack();
    // TLS says one turn late that a write is done: a fast answer would cost a connection.
    else atEndOfTurn({ endTurn: () => this.#giveBack() });
    // It is not sent again after its answer, and what is written is the kernel's.
    if (isRequestSent) exchange.bodyDone();
    exchange.end();
  }

  #giveBack(): void {
    const isRequestSent = this.#socket.writableLength === 0;
    if (isRequestSent && this.mayCarry(this.#sinceMs)) this.#options.pool.release(this);
    else this.#socket.destroy();
  }

  #expire(cause: string): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#socket.destroy();
    exchange?.fail(cause, "the provider was silent for too long", "timeout");
  }

  #break(cause: string, detail: string): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#socket.destroy();
    if (exchange === null) return;
    if (this.#mayResend(exchange, cause)) this.#options.pool.resend(exchange);
    else if (cause !== HTTP1_REFUSED || !this.#options.pool.handOver(exchange)) {
      exchange.fail(cause, detail);
    }
  }

  /** Once only: what is sent again goes over a connection that was not used before. */
  #mayResend({ isRepeatable }: RawExchange, cause: string): boolean {
    const elapsedMs = this.#options.clock.monotonicMs() - this.#sinceMs;
    return (
      isRepeatable &&
      this.#isReused &&
      !this.#parser.hasBytes &&
      CROSSED_CLOSES.has(cause) &&
      elapsedMs <= CROSSED_CLOSE_MS_MAX
    );
  }

  /** A listener that throws ends its own exchange, not the process. */
  #blame(exchange: RawExchange | null, error: unknown): void {
    this.#exchange = null;
    this.#socket.destroy();
    exchange?.blame(error);
  }
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** Where a name has several addresses, each has its own error. */
function textOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((each) => (each instanceof Error ? each.message : "")).join("; ");
}
