/**
 * One exchange of the raw client: what is to be sent, who listens, and how far it got. After the
 * end, a failure or `cancel` the listener hears nothing more.
 */
import type { HeadFields } from "./head-fields.ts";
import type {
  UpstreamBody,
  UpstreamCall,
  UpstreamClient,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamListener,
} from "./upstream-client.ts";

/** What an exchange acts on: the connection that carries it, or the queue that it waits in. */
export interface ExchangeCarrier {
  resume(): void;
  drop(exchange: RawExchange): void;
}

const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set([
  ...["GET", "HEAD", "OPTIONS", "PUT", "DELETE"],
]);

export class RawExchange implements UpstreamExchange {
  readonly method: string;
  /** Each character is one byte. */
  readonly head: string;
  readonly body: UpstreamBody | null;
  /** Whether the provider may get it twice (RFC 9110 §9.2.2). */
  readonly isRepeatable: boolean;
  /** Null: the client's own limit. */
  readonly headMsMax: number | null;
  readonly #call: UpstreamCall;
  readonly #listener: UpstreamListener;
  #carrier: ExchangeCarrier | null = null;
  /** When it began to wait, in monotonic time. */
  waitsSinceMs = 0;
  hasHead = false;
  isOver = false;

  constructor(call: UpstreamCall, head: string, listener: UpstreamListener) {
    this.method = call.method;
    this.head = head;
    this.body = call.body;
    this.isRepeatable = call.isRepeatable ?? IDEMPOTENT_METHODS.has(call.method);
    this.headMsMax = call.headMsMax ?? null;
    this.#call = call;
    this.#listener = listener;
  }

  moveTo(carrier: ExchangeCarrier): void {
    this.#carrier = carrier;
  }

  /** From here on it is that client's. Nothing of it may have been sent. */
  handTo(client: UpstreamClient): void {
    const sent = client.send(this.#call, this.#listener);
    this.moveTo({ resume: () => sent.resume(), drop: () => sent.cancel() });
  }

  resume(): void {
    if (!this.isOver) this.#carrier?.resume();
  }

  cancel(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#carrier?.drop(this);
  }

  takeHead(status: number, rawHeaders: readonly string[], fields: HeadFields): void {
    this.hasHead = true;
    if (!this.isOver) this.#listener.head(status, rawHeaders, fields);
  }

  takeData(chunk: Buffer): boolean {
    return this.isOver || this.#listener.data(chunk);
  }

  bodyDone(): void {
    if (!this.isOver) this.#call.onBodyDone?.();
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#listener.end();
  }

  fail(cause: string, detail: string, kind: UpstreamFailure["kind"] = this.#brokenKind): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#listener.failed({ kind, cause, detail });
  }

  /** The listener threw. */
  blame(error: unknown): void {
    this.isOver = true;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#listener.failed({ kind: this.#brokenKind, cause: "LISTENER_THREW", detail });
  }

  get #brokenKind(): UpstreamFailure["kind"] {
    return this.hasHead ? "cut" : "unreachable";
  }
}
