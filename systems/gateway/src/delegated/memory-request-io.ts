/** A request without a socket: what a fetch was given, in the shape that the relay reads. */
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { Hold } from "@atelier/contract/rpc/model-transport";
import type { GatewayRequest } from "../relay/client-exchange.ts";

type BodyReader = ReadableStreamDefaultReader<Uint8Array>;

/** What a fetch sends: bytes that are all there, a stream of them, or none. */
export type MemoryBody = Buffer | ReadableStream<Uint8Array> | null;

export class MemoryRequest extends Readable implements GatewayRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  /** A refusal need not wait until the rest has been read: nothing is in the way of the answer. */
  readonly complete = true;
  /** No client can trickle: whoever calls is part of this process, and says when it gives up. */
  readonly socket = { setTimeout: () => {} };
  readonly hold: Hold | null;
  readonly #body: BodyReader | null;
  #bytes: Buffer | null;

  constructor({
    method,
    url,
    headers,
    body,
    hold,
  }: {
    readonly method: string;
    readonly url: string;
    readonly headers: Headers;
    readonly body: MemoryBody;
    readonly hold: Hold | null;
  }) {
    super();
    this.method = method;
    this.url = url;
    this.hold = hold;
    const pairs = [...headers];
    this.headers = Object.fromEntries(pairs);
    this.rawHeaders = pairs.flat();
    this.#bytes = Buffer.isBuffer(body) ? body : null;
    this.#body = body === null || Buffer.isBuffer(body) ? null : body.getReader();
    this.on("error", () => {}); // A body that its maker broke off: the relay hears `close`.
  }

  takeBody(): readonly Buffer[] | null {
    const bytes = this.#bytes;
    this.#bytes = null;
    return bytes && [bytes];
  }

  override _read(): void {
    const bytes = this.#bytes;
    if (bytes !== null) {
      this.#bytes = null;
      this.push(bytes);
      return;
    }
    if (this.#body === null) {
      this.push(null);
      return;
    }
    this.#body.read().then(
      ({ done, value }) => this.push(done ? null : value),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // Of a body that was read to its end there is nothing to cancel, which is fine as well.
    this.#body?.cancel(error).catch(() => {});
    callback(error);
  }
}
