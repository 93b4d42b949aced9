/**
 * The answer of Amazon Bedrock on its way to a listener that expects the messages format: event streams
 * become server-sent events, refusals become the format's errors, all else goes on as it is.
 *
 * The head of a stream waits for its first frame. If that says that the request failed, the client gets
 * an HTTP error, which its SDK knows how to retry.
 */
import { errorBody } from "@atelier/model-wire/error-body";
import type { UpstreamFailure, UpstreamListener } from "../upstream/upstream-client.ts";
import { errorEvent, exceptionOf, refusalBody, type BedrockError } from "./bedrock-error.ts";
import { BedrockStream, EventStreamError, type BedrockStreamItem } from "./bedrock-stream.ts";

export const BEDROCK_STREAM_TYPE = "application/vnd.amazon.eventstream";

/** Of a refusal: messages are short, and what is longer is no message. */
const REFUSAL_BYTES_MAX = 64 * 1024;

type Phase =
  | { readonly kind: "waiting" }
  | { readonly kind: "passing" }
  | { readonly kind: "over" }
  | { readonly kind: "refusal"; readonly status: number; readonly rawHeaders: readonly string[] }
  | {
      readonly kind: "first_frame";
      readonly status: number;
      readonly rawHeaders: readonly string[];
    }
  | { readonly kind: "streaming" };

export class BedrockAnswer implements UpstreamListener {
  readonly #listener: UpstreamListener;
  readonly #cancel: () => void;
  readonly #stream = new BedrockStream();
  #phase: Phase = { kind: "waiting" };
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** `cancel` ends the exchange whose answer this is. */
  constructor(listener: UpstreamListener, cancel: () => void) {
    this.#listener = listener;
    this.#cancel = cancel;
  }

  head(status: number, rawHeaders: readonly string[]): void {
    if (status >= 400) {
      this.#phase = { kind: "refusal", status, rawHeaders };
    } else if (headerOf(rawHeaders, "content-type").toLowerCase().startsWith(BEDROCK_STREAM_TYPE)) {
      this.#phase = { kind: "first_frame", status, rawHeaders };
    } else {
      this.#phase = { kind: "passing" };
      this.#listener.head(status, rawHeaders);
    }
  }

  data(chunk: Uint8Array): boolean {
    switch (this.#phase.kind) {
      case "passing":
        return this.#listener.data(chunk);
      case "first_frame":
      case "streaming":
        return this.#translate(chunk);
      case "refusal":
        if (this.#bytes < REFUSAL_BYTES_MAX) this.#chunks.push(Buffer.from(chunk));
        this.#bytes += chunk.byteLength;
        return true;
      case "waiting":
      case "over":
        return true;
    }
  }

  end(): void {
    const phase = this.#phase;
    switch (phase.kind) {
      case "refusal":
        return this.#refuse(phase);
      case "first_frame":
      case "streaming":
        if (!this.#stream.isBetweenFrames) return this.#breakOff("the stream ended inside a frame");
        if (phase.kind === "first_frame") this.#release(phase);
        this.#phase = { kind: "over" };
        return this.#listener.end();
      case "waiting":
      case "passing":
        return this.#listener.end();
      case "over":
    }
  }

  failed(failure: UpstreamFailure): void {
    const phase = this.#phase;
    // The status has said it all; only its text broke off.
    if (phase.kind === "refusal") return this.#refuse(phase);
    if (phase.kind !== "over") this.#listener.failed(failure);
  }

  #translate(chunk: Uint8Array): boolean {
    let items: readonly BedrockStreamItem[];
    try {
      items = this.#stream.push(chunk);
    } catch (error) {
      if (!(error instanceof EventStreamError)) throw error;
      this.#breakOff(error.message);
      return true;
    }
    const [first] = items;
    if (first === undefined) return true;
    if (this.#phase.kind === "first_frame") {
      if (first.kind === "exception") {
        this.#answerError(first.error, this.#phase.rawHeaders);
        return true;
      }
      this.#release(this.#phase);
    }
    return this.#relay(items);
  }

  #relay(items: readonly BedrockStreamItem[]): boolean {
    const events: Uint8Array[] = [];
    for (const item of items) {
      if (item.kind === "event") {
        events.push(item.bytes);
        continue;
      }
      this.#listener.data(Buffer.concat([...events, errorEvent(item.error)]));
      this.#finish();
      return true;
    }
    return this.#listener.data(Buffer.concat(events));
  }

  #release({ status, rawHeaders }: Extract<Phase, { kind: "first_frame" }>): void {
    this.#phase = { kind: "streaming" };
    this.#listener.head(status, withType(rawHeaders, "text/event-stream; charset=utf-8"));
  }

  #refuse({ status, rawHeaders }: Extract<Phase, { kind: "refusal" }>): void {
    const said = Buffer.concat(this.#chunks);
    const body = refusalBody(status, exceptionOf(rawHeaders), said);
    this.#phase = { kind: "over" };
    sendWhole(this.#listener, {
      status,
      rawHeaders: withType(rawHeaders, "application/json"),
      body,
    });
  }

  #answerError({ status, type, message }: BedrockError, rawHeaders: readonly string[]): void {
    const body = errorBody("messages", { status, type, message });
    this.#phase = { kind: "over" };
    this.#cancel();
    sendWhole(this.#listener, {
      status,
      rawHeaders: withType(rawHeaders, "application/json"),
      body,
    });
  }

  /** Nothing that counts comes any more. */
  #finish(): void {
    this.#phase = { kind: "over" };
    this.#cancel();
    this.#listener.end();
  }

  #breakOff(detail: string): void {
    this.#phase = { kind: "over" };
    this.#cancel();
    this.#listener.failed({ kind: "cut", cause: "EVENT_STREAM_MALFORMED", detail });
  }
}

/** A whole answer in one go. */
export function sendWhole(
  listener: UpstreamListener,
  answer: {
    readonly status: number;
    readonly rawHeaders: readonly string[];
    readonly body: Uint8Array;
  },
): void {
  const length = ["Content-Length", String(answer.body.byteLength)];
  listener.head(answer.status, [...answer.rawHeaders, ...length]);
  listener.data(answer.body);
  listener.end();
}

/** Of another type, and of no known length. */
function withType(rawHeaders: readonly string[], type: string): string[] {
  const kept: string[] = ["Content-Type", type];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (/^content-(?:type|length|encoding)$/i.test(name)) continue;
    kept.push(name, rawHeaders[i + 1] ?? "");
  }
  return kept;
}

function headerOf(rawHeaders: readonly string[], wanted: string): string {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === wanted) return rawHeaders[i + 1] ?? "";
  }
  return "";
}
