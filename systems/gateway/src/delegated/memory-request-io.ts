/** A request without a socket: what a fetch was given, in the shape that the relay reads. */
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { GatewayRequest } from "../relay/client-exchange.ts";

type BodyReader = ReadableStreamDefaultReader<Uint8Array>;

export class MemoryRequest extends Readable implements GatewayRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  /** A refusal need not wait until the rest has been read: nothing is in the way of the answer. */
  readonly complete = true;
  /** No client can trickle: whoever calls is part of this process, and says when it gives up. */
  readonly socket = { setTimeout: () => {} };
  readonly #body: BodyReader | null;

  constructor(
    request: Request,
    { url, headers }: { readonly url: string; readonly headers: Headers },
  ) {
    super();
    this.method = request.method;
    this.url = url;
    this.headers = Object.fromEntries(headers);
    this.rawHeaders = [...headers].flat();
    this.#body = request.body?.getReader() ?? null;
    this.on("error", () => {}); // A body that its maker broke off: the relay hears `close`.
  }

  override _read(): void {
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
