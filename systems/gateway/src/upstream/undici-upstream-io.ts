/**
 * The upstream client on undici's dispatch(): TLS, HTTP/2 where the provider offers it, keep-alive
 * pools. The reference implementation. WHATWG fetch and web streams stay out: they cost many times
 * the CPU (docs/performance.md). It never sends a request twice.
 */
import { Pool, type Dispatcher } from "undici";
import {
  type UpstreamClient,
  type UpstreamExchange,
  type UpstreamFailure,
  type UpstreamListener,
  type UpstreamTimeouts,
  wholeBody,
} from "./upstream-client.ts";

export type UndiciUpstreamOptions = {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly timeouts: UpstreamTimeouts;
  /** Certificates to trust in place of the host's, as PEM. */
  readonly ca?: string;
  /** Undefined: as many as there are exchanges under way. */
  readonly connectionsMax?: number;
};

const KEEP_ALIVE_MS = 60_000;
const HEAD_BYTES_MAX = 64 * 1024;

export function openUndiciUpstream(options: UndiciUpstreamOptions): UpstreamClient {
  const { timeouts, ca, connectionsMax } = options;
  const pool = new Pool(options.origin, {
    connect: {
      timeout: timeouts.connectMsMax,
      noDelay: true,
      keepAlive: true,
      ...(ca === undefined ? {} : { ca }),
    },
    ...(connectionsMax === undefined ? {} : { connections: connectionsMax }),
    headersTimeout: timeouts.headMsMax,
    bodyTimeout: timeouts.silenceMsMax,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: HEAD_BYTES_MAX,
    allowH2: true,
  });
  return {
    send: (call, listener) => {
      const exchange = new Exchange(listener);
      pool.dispatch(
        {
          method: call.method,
          path: call.path,
          headers: call.headers as string[], // undici reads it only.
          body: call.body === null ? null : wholeBody(call.body),
          headersTimeout: call.headMsMax ?? timeouts.headMsMax,
        },
        exchange,
      );
      return exchange;
    },
    close: () => pool.close(),
  };
}

class Exchange implements UpstreamExchange, Dispatcher.DispatchHandler {
  readonly #listener: UpstreamListener;
  #controller: Dispatcher.DispatchController | null = null;
  #hasHead = false;
  #isOver = false;

  constructor(listener: UpstreamListener) {
    this.#listener = listener;
  }

  resume(): void {
    this.#controller?.resume();
  }

  cancel(): void {
    this.#isOver = true;
    this.#controller?.abort(CANCELLED);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(CANCELLED);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: object,
  ): void {
    // Informational answers (1xx) are the connection's business.
    if (this.#isOver || status < 200) return;
    this.#hasHead = true;
    this.#listener.head(status, toRawPairs(controller.rawHeaders ?? headers));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    if (!this.#listener.data(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.failed(toFailure(error, this.#hasHead));
  }
}

const CANCELLED = new Error("the exchange was cancelled");

const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

function toFailure(error: Error, hasHead: boolean): UpstreamFailure {
  // Its parser's errors have a code that is undefined.
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  const said = { cause: code, detail: error.message };
  if (TIMEOUT_CODES.has(code)) return { kind: "timeout", ...said };
  return { kind: hasHead ? "cut" : "unreachable", ...said };
}

/** HTTP/1 gives flat pairs as buffers or text; HTTP/2 gives an object. */
function toRawPairs(headers: object): string[] {
  if (Array.isArray(headers)) {
    return headers.map((part: unknown) =>
      Buffer.isBuffer(part) ? part.toString("latin1") : String(part),
    );
  }
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(headers as Record<string, string | string[]>)) {
    if (name.startsWith(":")) continue; // HTTP/2's own.
    for (const one of Array.isArray(value) ? value : [value]) pairs.push(name, one);
  }
  return pairs;
}
