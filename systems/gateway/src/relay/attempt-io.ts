/**
 * One try of a call with one of the company's keys. An answer that is about the key is set aside, so
 * that another key can be tried; everything else is released to the client as it comes.
 *
 * A stream is held until its first event is whole where another key could still serve: providers may
 * answer 200 and then say, as their first event, that they are overloaded. Nothing was released then.
 */
import { categorizeErrorType } from "@atelier/model-wire/error-category";
import { observeBody, observeStream } from "@atelier/model-wire/observe-response";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { toAnswerHead } from "../headers/answer-headers.ts";
import type { KeyDisposition } from "../keys/key-disposition.ts";
import type {
  UpstreamExchange,
  UpstreamFailure,
  UpstreamListener,
} from "../upstream/upstream-client.ts";

export type SetAside =
  | {
      readonly kind: "refused";
      readonly disposition: Exclude<KeyDisposition, { kind: "keep" }>;
      readonly status: number;
      readonly message: string;
    }
  /** A 200 whose first event says that the provider is overloaded. */
  | { readonly kind: "overloaded" };

export type AttemptOptions = {
  /** Where a released answer goes. */
  readonly listener: UpstreamListener;
  readonly format: WireFormat;
  judge(status: number, rawHeaders: readonly string[]): KeyDisposition;
  /** Whether another key could serve if this one cannot. */
  mayFailOver(): boolean;
  /** Called instead of anything on the listener; the exchange is over. */
  onSetAside(aside: SetAside): void;
};

/** Of a refusal, for its message. */
const REFUSAL_BYTES_MAX = 64 * 1024;
/** A first event longer than this is no overload error. */
const HELD_BYTES_MAX = 64 * 1024;

type Phase =
  | { readonly kind: "waiting" }
  | { readonly kind: "released" }
  | {
      readonly kind: "refused";
      readonly disposition: Exclude<KeyDisposition, { kind: "keep" }>;
      readonly status: number;
    }
  | {
      readonly kind: "held";
      readonly status: number;
      readonly rawHeaders: readonly string[];
    };

export class Attempt implements UpstreamListener {
  readonly #options: AttemptOptions;
  #phase: Phase = { kind: "waiting" };
  #exchange: UpstreamExchange | null = null;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  attach(exchange: UpstreamExchange): void {
    this.#exchange = exchange;
  }

  head(status: number, rawHeaders: readonly string[]): void {
    const { listener } = this.#options;
    const disposition = this.#options.judge(status, rawHeaders);
    if (disposition.kind !== "keep") {
      this.#phase = { kind: "refused", disposition, status };
      return;
    }
    // The listener reads the head again: only where another key is left is it worth reading here.
    if (status < 300 && this.#options.mayFailOver() && isReadableStream(rawHeaders)) {
      this.#phase = { kind: "held", status, rawHeaders };
    } else {
      this.#phase = { kind: "released" };
      listener.head(status, rawHeaders);
    }
  }

  data(chunk: Uint8Array): boolean {
    const phase = this.#phase;
    if (phase.kind === "released") return this.#options.listener.data(chunk);
    if (phase.kind === "refused") {
      if (this.#bytes < REFUSAL_BYTES_MAX) this.#keep(chunk);
      return true;
    }
    if (phase.kind === "waiting") return true; // No data comes before a head.
    this.#keep(chunk);
    return this.#decideHeld(phase);
  }

  end(): void {
    const phase = this.#phase;
    if (phase.kind === "refused") return this.#setAside(phase);
    if (phase.kind === "held") this.#release(phase);
    this.#options.listener.end();
  }

  failed(failure: UpstreamFailure): void {
    const phase = this.#phase;
    // The status has said it all; only its text broke off.
    if (phase.kind === "refused") return this.#setAside(phase);
    if (phase.kind === "held") this.#release(phase);
    this.#options.listener.failed(failure);
  }

  #keep(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
  }

  #decideHeld(phase: Extract<Phase, { kind: "held" }>): boolean {
    const held = Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [held];
    const firstEvent = firstEventOf(held);
    if (firstEvent === null && held.byteLength < HELD_BYTES_MAX) return true;
    const isOverloaded = firstEvent !== null && isOverloadError(this.#options.format, firstEvent);
    if (isOverloaded && this.#options.mayFailOver()) {
      this.#exchange?.cancel();
      this.#options.onSetAside({ kind: "overloaded" });
      return true;
    }
    return this.#release(phase);
  }

  #release({ status, rawHeaders }: Extract<Phase, { kind: "held" }>): boolean {
    this.#phase = { kind: "released" };
    const { listener } = this.#options;
    listener.head(status, rawHeaders);
    const chunks = this.#chunks;
    this.#chunks = [];
    let isKeepingUp = true;
    for (const chunk of chunks) isKeepingUp = listener.data(chunk);
    return isKeepingUp;
  }

  #setAside({ disposition, status }: Extract<Phase, { kind: "refused" }>): void {
    const observed = observeBody(this.#options.format, Buffer.concat(this.#chunks, this.#bytes));
    const said = observed.error?.type === "malformed_response" ? null : observed.error;
    const message = said?.message ?? `the model provider answered ${status}`;
    this.#options.onSetAside({ kind: "refused", disposition, status, message });
  }
}

function isReadableStream(rawHeaders: readonly string[]): boolean {
  const { isEventStream, contentEncoding } = toAnswerHead(rawHeaders);
  return isEventStream && contentEncoding === "";
}

/** Up to the first empty line, in either way to end lines. Null: it is not whole yet. */
function firstEventOf(held: Buffer): Uint8Array | null {
  const ends = ["\n\n", "\r\n\r\n"].map((end) => held.indexOf(end)).filter((at) => at !== -1);
  return ends.length === 0 ? null : held.subarray(0, Math.min(...ends));
}

function isOverloadError(format: WireFormat, event: Uint8Array): boolean {
  const observer = observeStream(format);
  observer.push(event);
  const { error } = observer.end();
  if (error === null) return false;
  const category = categorizeErrorType(error.type);
  return category === "overloaded" || category === "rate_limited";
}
