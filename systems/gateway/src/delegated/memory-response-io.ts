/**
 * An answer without a socket: what the relay writes becomes the head and the body of a fetch's
 * response. The body is pulled: a piece is taken from the relay when somebody reads, so that a slow
 * reader slows the provider down, as a slow client's socket does.
 */
import { Writable } from "node:stream";
import type { GatewayResponse } from "../relay/client-exchange.ts";
import type { MemoryRequest } from "./memory-request-io.ts";

export type MemoryHead = { readonly status: number; readonly headers: Headers };

/** Between the relay and a reader, besides the piece that is on its way. As Node's sockets have it. */
const BUFFERED_BYTES_MAX = 64 * 1024;

export class MemoryResponse extends Writable implements GatewayResponse {
  readonly req: MemoryRequest;
  /** Resolves when the head is written. Rejects when there will be none. */
  readonly head: Promise<MemoryHead>;
  /** Canceling it is the client going away. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  headersSent = false;
  statusCode = 200;
  readonly #head = Promise.withResolvers<MemoryHead>();
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #pulled: (() => void) | null = null;
  #piece: { readonly bytes: Uint8Array; readonly taken: () => void } | null = null;
  #isWhole = false;
  /** Null: nobody gave one. */
  #reason: { readonly value: unknown } | null = null;

  constructor(req: MemoryRequest) {
    super({ highWaterMark: BUFFERED_BYTES_MAX });
    this.req = req;
    this.head = this.#head.promise;
    this.body = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () =>
          new Promise<void>((resolve) => {
            this.#pulled = resolve;
            this.#pass();
          }),
        cancel: () => {
          this.#controller = null;
          this.#isWhole = true; // For its reader it is: nobody is left to be told otherwise.
          this.destroy();
        },
      },
      { highWaterMark: 0 },
    );
    this.on("error", () => {}); // A write after the end of the exchange has nobody to reach.
  }

  writeHead(status: number, headers: string[] | Record<string, string>): this {
    const pairs = Array.isArray(headers) ? headers : Object.entries(headers).flat();
    this.headersSent = true;
    this.statusCode = status;
    this.#head.resolve({ status, headers: toHeaders(pairs) });
    return this;
  }

  /** The head is told as soon as it is written. */
  flushHeaders(): void {}

  /** The client goes away. */
  abort(reason: unknown): void {
    this.#reason = { value: reason };
    this.destroy();
  }

  override _write(bytes: Uint8Array, _encoding: string, taken: () => void): void {
    this.#piece = { bytes, taken };
    this.#pass();
  }

  override _final(callback: () => void): void {
    this.#isWhole = true;
    // Closing the streams behind it takes longer than reading the last bytes, which somebody waits for.
    setImmediate(() => {
      this.#controller?.close();
      this.#pulled?.();
    });
    callback();
  }

  override _destroy(_error: Error | null, callback: (error: null) => void): void {
    if (!this.headersSent || !this.#isWhole) this.#breakOff();
    this.req.destroy();
    callback(null);
  }

  /** Its trace is made only where there is a break: it costs as much as the rest of a response. */
  #breakOff(): void {
    const reason =
      this.#reason === null
        ? new TypeError("the answer broke off before it was complete")
        : this.#reason.value;
    this.#head.reject(reason);
    // Without a head nobody has the body yet: the rejection says it.
    if (!this.#isWhole) this.#controller?.error(reason);
  }

  #pass(): void {
    const piece = this.#piece;
    const pulled = this.#pulled;
    if (piece === null || pulled === null) return;
    this.#piece = null;
    this.#pulled = null;
    this.#controller?.enqueue(piece.bytes);
    pulled();
    piece.taken();
  }
}

function toHeaders(pairs: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    try {
      headers.append(pairs[i] ?? "", pairs[i + 1] ?? "");
    } catch {
      // A name or value that fetch does not allow: no reader could ask for it.
    }
  }
  return headers;
}
