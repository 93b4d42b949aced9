/**
 * One try of a call with one of the company's keys. What another key can make good is set aside as long
 * as the client has not got a byte of it; everything else is released to the client as it comes.
 *
 * A stream is held until its first event is whole where another key could still serve: providers may
 * answer 200 and then say, as their first event, that they are overloaded. With failover on faults the
 * first byte of any other answer is waited for in the same way, and no longer than an answer may take to
 * begin: one that drips without ever beginning hangs.
 */
import type { Clock } from "@atelier/base/clock";
import { categorizeErrorType } from "@atelier/model-wire/error-category";
import { observeBody, observeStream } from "@atelier/model-wire/observe-response";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { answerKindOf } from "../headers/answer-headers.ts";
import { isKeyMark, type KeyDisposition } from "../keys/key-disposition.ts";
import type { HeadFields } from "../upstream/head-fields.ts";
import type {
  UpstreamExchange,
  UpstreamFailure,
  UpstreamListener,
} from "../upstream/upstream-client.ts";

/** An answer that may still go to the client, when no key gives a better one. */
export type KeptAnswer = {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
};

export type SetAside =
  | {
      readonly kind: "refused";
      readonly disposition: Exclude<KeyDisposition, { kind: "keep" }>;
      readonly status: number;
      readonly message: string;
      /** Null: it is too long, or broke off. */
      readonly answer: KeptAnswer | null;
    }
  /** A 200 whose first event says that the provider is overloaded. */
  | { readonly kind: "overloaded"; readonly answer: KeptAnswer }
  /** There was no answer, or none that began. Only with failover on faults. */
  | { readonly kind: "failed"; readonly failure: UpstreamFailure };

export type AttemptOptions = {
  /** Where a released answer goes. */
  readonly listener: UpstreamListener;
  readonly format: WireFormat;
  /** Null: faults of the provider are the client's. */
  readonly faults: { readonly clock: Clock; readonly beginMsMax: number } | null;
  judge(status: number, rawHeaders: readonly string[]): KeyDisposition;
  /** Whether another key could serve if this one cannot. */
  mayFailOver(): boolean;
  /** Called instead of anything on the listener; the exchange is over. */
  onSetAside(aside: SetAside): void;
  /** The answer goes to the client, good or not. */
  onReleased(disposition: KeyDisposition, status: number): void;
  /** The client left before the answer was released. */
  onCancelled(): void;
};

/** Of a refusal, for its message, and for the client when nothing better comes. */
const REFUSAL_BYTES_MAX = 64 * 1024;
/** A first event longer than this is no overload error. */
const HELD_BYTES_MAX = 64 * 1024;

type Head = {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly fields: HeadFields | undefined;
};
type Refused = Head & {
  readonly kind: "refused";
  readonly disposition: Exclude<KeyDisposition, { kind: "keep" }>;
};
type Held = Head & { readonly kind: "held"; readonly isStream: boolean };
type Phase =
  | { readonly kind: "waiting" }
  | Refused
  | Held
  | { readonly kind: "released" }
  /** Set aside or cancelled. */
  | { readonly kind: "over" };

export class Attempt implements UpstreamListener, UpstreamExchange {
  readonly #options: AttemptOptions;
  #phase: Phase = { kind: "waiting" };
  #exchange: UpstreamExchange | null = null;
  #beginning: AbortController | null = null;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(options: AttemptOptions) {
    this.#options = options;
    const { faults } = options;
    if (faults === null || !options.mayFailOver()) return;
    this.#beginning = new AbortController();
    faults.clock.sleep(faults.beginMsMax, this.#beginning.signal).then(
      () => this.#onLate(),
      () => {}, // It began, or is over.
    );
  }

  /** Call right after sending. */
  attach(exchange: UpstreamExchange): void {
    this.#exchange = exchange;
  }

  resume(): void {
    if (this.#phase.kind === "released") this.#exchange?.resume();
  }

  cancel(): void {
    const isOpen = this.#phase.kind !== "released" && this.#phase.kind !== "over";
    this.#become({ kind: "over" });
    this.#exchange?.cancel();
    if (isOpen) this.#options.onCancelled();
  }

  head(status: number, rawHeaders: readonly string[], fields?: HeadFields): void {
    const options = this.#options;
    const disposition = options.judge(status, rawHeaders);
    if (disposition.kind !== "keep" && (isKeyMark(disposition) || options.mayFailOver())) {
      this.#phase = { kind: "refused", disposition, status, rawHeaders, fields };
      return;
    }
    // The listener reads the head again: only where another key is left is it worth reading here.
    if (disposition.kind === "keep" && status < 300 && options.mayFailOver()) {
      const isStream = isReadableStream(rawHeaders);
      if (isStream || options.faults !== null) {
        this.#phase = { kind: "held", status, rawHeaders, fields, isStream };
        return;
      }
    }
    this.#release({ status, rawHeaders, fields }, disposition);
  }

  data(chunk: Uint8Array): boolean {
    const phase = this.#phase;
    switch (phase.kind) {
      case "released":
        return this.#options.listener.data(chunk);
      case "refused":
        this.#bytes += chunk.byteLength;
        if (this.#bytes <= REFUSAL_BYTES_MAX) this.#chunks.push(chunk);
        return true;
      case "held":
        this.#bytes += chunk.byteLength;
        this.#chunks.push(chunk);
        return phase.isStream ? this.#decideHeld(phase) : this.#release(phase);
      case "waiting": // No data comes before a head.
      case "over":
        return true;
    }
  }

  end(): void {
    const phase = this.#phase;
    if (phase.kind === "refused") return this.#setRefusalAside(phase, { isWhole: true });
    if (phase.kind === "held") {
      const isEmpty = phase.isStream && this.#bytes === 0;
      if (isEmpty && this.#options.faults !== null) return this.#setFailureAside(EMPTY_STREAM);
      this.#release(phase);
    }
    this.#options.listener.end();
  }

  failed(failure: UpstreamFailure): void {
    const phase = this.#phase;
    // The status has said it all; only its text broke off.
    if (phase.kind === "refused") return this.#setRefusalAside(phase, { isWhole: false });
    const isFault = this.#options.faults !== null && phase.kind !== "released";
    if (isFault) return this.#setFailureAside(failure);
    if (phase.kind === "held") this.#release(phase);
    this.#options.listener.failed(failure);
  }

  #decideHeld(phase: Held): boolean {
    const held = wholeOf(this.#chunks);
    this.#chunks = [held];
    const firstEvent = firstEventOf(held);
    if (firstEvent === null && held.byteLength < HELD_BYTES_MAX) return true;
    const isOverloaded = firstEvent !== null && isOverloadError(this.#options.format, firstEvent);
    if (!isOverloaded || !this.#options.mayFailOver()) return this.#release(phase);
    const { status, rawHeaders } = phase;
    this.#exchange?.cancel();
    this.#setAside({ kind: "overloaded", answer: { status, rawHeaders, body: held } });
    return true;
  }

  #release({ status, rawHeaders, fields }: Head, disposition: KeyDisposition = KEEP): boolean {
    this.#become({ kind: "released" });
    const { listener } = this.#options;
    this.#options.onReleased(disposition, status);
    listener.head(status, rawHeaders, fields);
    const chunks = this.#chunks;
    this.#chunks = [];
    let isKeepingUp = true;
    for (const chunk of chunks) isKeepingUp = listener.data(chunk);
    return isKeepingUp;
  }

  #onLate(): void {
    const phase = this.#phase;
    if (phase.kind === "released" || phase.kind === "over") return;
    if (phase.kind === "refused") {
      this.#exchange?.cancel();
      this.#setRefusalAside(phase, { isWhole: false });
    } else if (this.#options.mayFailOver()) {
      this.#exchange?.cancel();
      this.#setFailureAside(LATE);
    } else if (phase.kind === "held") {
      this.#release(phase);
    }
    // Without a head and without another key: the upstream client's own limit ends it.
  }

  #setRefusalAside(phase: Refused, { isWhole }: { readonly isWhole: boolean }): void {
    const { disposition, status, rawHeaders } = phase;
    const body = Buffer.concat(this.#chunks);
    const observed = observeBody(this.#options.format, body);
    const said = observed.error?.type === "malformed_response" ? null : observed.error;
    const message = said?.message ?? `the model provider answered ${status}`;
    const isKept = isWhole && this.#bytes <= REFUSAL_BYTES_MAX;
    const answer = isKept ? { status, rawHeaders, body } : null;
    this.#setAside({ kind: "refused", disposition, status, message, answer });
  }

  #setFailureAside(failure: UpstreamFailure): void {
    this.#setAside({ kind: "failed", failure });
  }

  #setAside(aside: SetAside): void {
    this.#become({ kind: "over" });
    this.#options.onSetAside(aside);
  }

  #become(phase: Extract<Phase, { kind: "released" | "over" }>): void {
    this.#phase = phase;
    this.#beginning?.abort(IN_TIME);
    this.#beginning = null;
  }
}

const KEEP: KeyDisposition = { kind: "keep" };
/** Made once: what wakes from it looks at nothing. */
const IN_TIME = new Error("the attempt began or is over");
const LATE: UpstreamFailure = {
  kind: "timeout",
  cause: "NOT_BEGUN_IN_TIME",
  detail: "no event or byte of an answer came in time",
};
const EMPTY_STREAM: UpstreamFailure = {
  kind: "cut",
  cause: "EMPTY_STREAM",
  detail: "the stream ended without an event",
};

function isReadableStream(rawHeaders: readonly string[]): boolean {
  const { isEventStream, contentEncoding } = answerKindOf(rawHeaders);
  return isEventStream && contentEncoding === "";
}

function wholeOf(chunks: readonly Uint8Array[]): Buffer {
  const [only] = chunks;
  if (only === undefined || chunks.length > 1) return Buffer.concat(chunks);
  return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
}

/** Up to the first empty line, in either way to end lines. Null: it is not whole yet. */
function firstEventOf(held: Buffer): Buffer | null {
  const plainEnd = held.indexOf("\n\n");
  const before = plainEnd === -1 ? held : held.subarray(0, plainEnd);
  const otherEnd = before.indexOf("\r\n\r\n");
  const end = otherEnd === -1 ? plainEnd : otherEnd;
  return end === -1 ? null : held.subarray(0, end);
}

function isOverloadError(format: WireFormat, event: Buffer): boolean {
  // No format has an error without the word, and nearly every stream begins with an event that has none.
  if (!event.includes("error")) return false;
  const observer = observeStream(format);
  observer.push(event);
  const { error } = observer.end();
  if (error === null) return false;
  const category = categorizeErrorType(error.type);
  return category === "overloaded" || category === "rate_limited";
}
