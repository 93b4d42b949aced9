/**
 * One connection of a client, read here as long as what comes on it is a plain request to the gateway.
 * The first that is not goes, with the connection and every byte that was read of it, to `node:http`.
 */
import type { Clock } from "@atelier/base/clock";
import { loopLoad } from "@atelier/host/loop-load";
import type { Socket } from "node:net";
import type { GatewayRequest, GatewayResponse } from "../relay/client-exchange.ts";
import { DirectRequest } from "./direct-request-io.ts";
import { DirectResponse } from "./direct-response-io.ts";
import { RepeatedHead } from "./repeated-head.ts";
import { parseRequestHead, type RequestHead } from "./request-head.ts";

export type DirectConnectionOptions = {
  readonly clock: Clock;
  readonly keepAliveSeconds: number;
  /** Of a request's head. */
  readonly headBytesMax: number;
  /** The part of a target's path before `/<provider>/…`. Null: the target or its host is not the gateway's. */
  prefixOf(url: string, host: string | undefined): string | null;
  handle(req: GatewayRequest, res: GatewayResponse, prefix: string): void;
  /** As HTTP writes it. */
  date(): string;
  /** An exchange begins on it. Call what it returns when the exchange is over. */
  onExchange(socket: Socket, closeAfterwards: () => void): () => void;
  /** Reads the connection from here on. Nothing of it has been consumed. */
  handOver(socket: Socket): void;
};

/** What the connection waits for, and so how long it may. */
export type DirectPhase = "head" | "body" | "answer" | "idle" | "parting";

type Exchange = {
  readonly req: DirectRequest;
  readonly res: DirectResponse;
  readonly over: () => void;
};

const HEAD_END = "\r\n\r\n";
const LINE_END_LENGTH = 2;
/** Every method that is read here, so that others are not kept waiting for the end of their head. */
const STARTS = ["POST /", "GET /"];
const START_LENGTH_MAX = Math.max(...STARTS.map((start) => start.length));

const isLoopFull = (): boolean => loopLoad.isFull();

export class DirectConnection {
  phase: DirectPhase = "head";
  /** Counts rounds of whoever watches over the connections; set to 0 when the phase changes. */
  rounds = 0;
  readonly #socket: Socket;
  readonly #options: DirectConnectionOptions;
  /** The beginning of a head, or what came behind the request that is being answered. */
  #unread: Buffer | null = null;
  #exchange: Exchange | null = null;
  /** Null: there was none yet. */
  #last: RepeatedHead | null = null;

  constructor(socket: Socket, options: DirectConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on("data", this.#onData);
    socket.on("drain", this.#onDrain);
    socket.on("timeout", this.#onTimeout);
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The client was too slow. */
  refuseAsLate(): void {
    // What stands within an answer would be read as a part of it.
    if (this.#exchange?.res.headersSent === true) this.#socket.destroy();
    else this.#socket.end("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
  }

  readonly #onData = (chunk: Buffer): void => {
    const { missing } = this.#exchange?.req ?? { missing: 0 };
    if (this.#exchange !== null && missing >= chunk.length) return this.#takeBody(chunk);
    const own = missing === 0 ? chunk : chunk.subarray(missing);
    if (missing > 0) this.#takeBody(chunk.subarray(0, missing));
    this.#unread = this.#unread === null ? own : Buffer.concat([this.#unread, own]);
    if (this.#exchange === null) this.#readHead();
    // The next request waits until this one is answered, and with it whatever follows.
    else this.#socket.pause();
  };

  #takeBody(part: Buffer): void {
    const { req } = this.#exchange ?? {};
    if (req === undefined) return;
    req.arrived(part);
    if (req.complete && this.phase === "body") this.#enter("answer");
    // Nobody reads it yet: what is to come stays with the client.
    if (!req.isFlowing) this.#socket.pause();
  }

  #readHead(): void {
    const bytes = this.#unread;
    if (bytes === null) return;
    if (this.phase === "idle") this.#enter("head");
    const end = bytes.indexOf(HEAD_END, 0, "latin1");
    if (end === -1 || end > this.#options.headBytesMax) return this.#awaitHead(bytes, end);
    const text = bytes.toString("latin1", 0, end + LINE_END_LENGTH);
    const head = this.#last?.again(text) ?? this.#parse(text);
    if (head === null || this.#last === null) return this.#handOver();
    this.#begin(head, this.#last, bytes.subarray(end + HEAD_END.length));
  }

  /** A head that is not whole, or longer than it may be: is it worth waiting for? */
  #awaitHead(bytes: Buffer, end: number): void {
    const start = bytes.toString("latin1", 0, Math.min(bytes.length, START_LENGTH_MAX));
    const mayBePlain = STARTS.some((each) => each.startsWith(start) || start.startsWith(each));
    if (end !== -1 || !mayBePlain || bytes.length > this.#options.headBytesMax) this.#handOver();
  }

  /** Null: it is not plain, or not the gateway's. */
  #parse(text: string): RequestHead | null {
    const head = parseRequestHead(text);
    const prefix = head === null ? null : this.#options.prefixOf(head.url, head.headers.host);
    if (head === null || prefix === null) return null;
    this.#last = new RepeatedHead(text, head, prefix);
    return head;
  }

  /** `rest`: what came behind the head, of this request and of the next. */
  #begin(head: RequestHead, { slot, prefix }: RepeatedHead, rest: Buffer): void {
    const options = this.#options;
    const hasNext = rest.length > head.contentLength;
    const body = hasNext ? rest.subarray(0, head.contentLength) : rest;
    this.#unread = hasNext ? rest.subarray(head.contentLength) : null;
    if (hasNext) this.#socket.pause();
    const req = new DirectRequest(head, this.#socket, slot);
    const { clock } = options;
    const res = new DirectResponse({
      ...{ req, closes: head.closes, keepAliveSeconds: options.keepAliveSeconds },
      clock,
      date: () => options.date(),
      isLoopFull,
      onEnd: (staysOpen) => this.#onAnswered(staysOpen),
    });
    const over = options.onExchange(this.#socket, () => res.closeAfterwards());
    this.#exchange = { req, res, over };
    req.arrived(body);
    this.#enter(req.complete ? "answer" : "body");
    options.handle(req, res, prefix);
  }

  #onAnswered(staysOpen: boolean): void {
    const isWhole = this.#exchange?.req.complete === true;
    this.#exchange?.over();
    this.#exchange = null;
    if (!staysOpen) {
      if (isWhole) this.#socket.destroySoon();
      else this.#part();
      return;
    }
    if (this.#socket.timeout) this.#socket.setTimeout(0);
    this.#enter("idle");
    if (this.#socket.isPaused()) this.#socket.resume();
    // Not within the end of the answer: a client that sends many at once would nest them.
    if (this.#unread !== null) process.nextTick(() => this.#exchange ?? this.#readHead());
  }

  /**
   * The client still sends what nobody wants. A socket that is closed with bytes unread is reset, and the
   * client may lose the answer by that: they are read and dropped until it closes, or took too long.
   */
  #part(): void {
    this.#enter("parting");
    this.#unread = null;
    this.#socket.off("data", this.#onData);
    this.#socket.end();
    this.#socket.resume();
  }

  #handOver(): void {
    const socket = this.#socket;
    const unread = this.#unread;
    this.#unread = null;
    socket.pause();
    socket.off("data", this.#onData).off("drain", this.#onDrain).off("timeout", this.#onTimeout);
    socket.off("end", this.#onEnd).off("error", this.#onError).off("close", this.#onClose);
    if (unread !== null) socket.unshift(unread);
    this.#options.handOver(socket);
    socket.resume();
  }

  readonly #onDrain = (): void => {
    this.#exchange?.res.emit("drain");
  };

  readonly #onTimeout = (): void => {
    const { req } = this.#exchange ?? {};
    const isHeard = req !== undefined && (req.complete || req.emit("timeout"));
    if (!isHeard) this.#socket.destroy();
  };

  /** As node:http has it: a client that closes its side while it is answered has gone away. */
  readonly #onEnd = (): void => {
    if (this.#exchange === null) this.#socket.end();
    else this.#socket.destroy();
  };

  /** `close` follows. */
  readonly #onError = (): void => {
    this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    const exchange = this.#exchange;
    this.#exchange = null;
    if (exchange === null) return;
    exchange.over();
    if (!exchange.req.complete) exchange.req.emit("close");
    exchange.res.gone();
  };

  #enter(phase: DirectPhase): void {
    this.phase = phase;
    this.rounds = 0;
  }
}
