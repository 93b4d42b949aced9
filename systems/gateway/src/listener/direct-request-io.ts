/**
 * A request on a connection that this gateway reads itself. What arrived before somebody listens waits
 * for them, and then keeps its order.
 */
import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { isMarkedAsUntransferable } from "node:worker_threads";
import type { GatewayRequest } from "../relay/client-exchange.ts";
import type { HeadFactsSlot } from "../relay/head-facts.ts";
import type { RequestHead } from "./request-head.ts";

/** Less is not worth the call: the collector frees it. */
const RELEASED_BYTES_MIN = 16 * 1_024;

export class DirectRequest extends EventEmitter implements GatewayRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  readonly socket: Socket;
  readonly slot: HeadFactsSlot;
  /** Bytes of the body that have not arrived yet. */
  missing: number;
  #waiting: Buffer[] = [];
  #isFlowing = false;
  #isDelivering = false;
  #hasEnded = false;
  /** Holds nothing but what arrived of this request. */
  readonly #memory: ArrayBuffer[] = [];

  constructor(head: RequestHead, socket: Socket, slot: HeadFactsSlot) {
    super();
    this.method = head.method;
    this.url = head.url;
    this.headers = head.headers;
    this.rawHeaders = head.rawHeaders;
    this.socket = socket;
    this.slot = slot;
    this.missing = head.contentLength;
  }

  get complete(): boolean {
    return this.missing === 0;
  }

  /** Whether somebody takes what arrives. */
  get isFlowing(): boolean {
    return this.#isFlowing;
  }

  override on(event: string, listener: (...args: never[]) => void): this {
    super.on(event, listener as (...args: unknown[]) => void);
    if (event === "data") this.resume();
    return this;
  }

  takeBody(): readonly Buffer[] | null {
    if (!this.complete || this.#isFlowing) return null;
    this.#isFlowing = true;
    this.#hasEnded = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  resume(): this {
    if (this.#isFlowing) return this;
    this.#isFlowing = true;
    if (this.socket.isPaused()) this.socket.resume();
    this.#deliverLater();
    return this;
  }

  /** A part of the body, no longer than what is missing. Empty: there is none at all. */
  arrived(part: Buffer): void {
    this.missing -= part.length;
    if (part.length > 0) this.#waiting.push(part);
    if (part.length >= RELEASED_BYTES_MIN) this.#noteMemory(part);
    if (this.#isFlowing && !this.#isDelivering) this.#deliver();
  }

  releaseBody(): void {
    if (!this.complete) return;
    for (const memory of this.#memory.splice(0)) memory.transfer(0);
  }

  #noteMemory({ buffer, byteOffset, byteLength }: Buffer): void {
    // What lies behind it is the next request's. Memory that Node shares out among small buffers is marked.
    const isOwn =
      byteOffset + byteLength === buffer.byteLength && !isMarkedAsUntransferable(buffer);
    if (isOwn && buffer instanceof ArrayBuffer) this.#memory.push(buffer);
  }

  destroy(): this {
    this.socket.destroy();
    return this;
  }

  /** Not before those who ask for data have said what else they want to hear. */
  #deliverLater(): void {
    this.#isDelivering = true;
    process.nextTick(() => this.#deliver());
  }

  #deliver(): void {
    this.#isDelivering = false;
    const waiting = this.#waiting;
    if (waiting.length > 0) {
      this.#waiting = [];
      for (const part of waiting) this.emit("data", part);
    }
    if (this.missing > 0 || this.#hasEnded) return;
    this.#hasEnded = true;
    this.emit("end");
  }
}
