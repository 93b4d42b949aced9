/**
 * The span of one exchange with a provider. Of a stream it covers the opening only: what goes wrong
 * later is told by the spans around it (spec gateway 10.4).
 */
import { SpanStatusCode, type Span } from "@opentelemetry/api";
import type { AttemptObserver } from "../observers/call-observer.ts";
import type { UpstreamCall, UpstreamFailure } from "../upstream/upstream-client.ts";
import { ATTRIBUTE } from "./semconv.ts";

export class AttemptTrace implements AttemptObserver {
  readonly call: UpstreamCall;
  readonly #span: Span;
  #isOver = false;

  constructor(span: Span, call: UpstreamCall) {
    this.#span = span;
    this.call = call;
  }

  head(status: number, rawHeaders: readonly string[]): void {
    if (this.#isOver) return;
    this.#span.setAttribute(ATTRIBUTE.httpStatus, status);
    if (status >= 400) failSpan(this.#span, String(status), `the provider answered ${status}`);
    else if (isEventStream(rawHeaders)) this.#end();
  }

  data(): void {}

  end(): void {
    this.#end();
  }

  failed({ kind, cause }: UpstreamFailure): void {
    if (this.#isOver) return;
    failSpan(this.#span, kind, `${kind} (${cause})`);
    this.#end();
  }

  cancelled(): void {
    if (this.#isOver) return;
    failSpan(this.#span, "cancelled", "cancelled before the answer was complete");
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#span.end();
  }
}

/** `message` is for operators: no words of a provider or a client, which can hold prompts and keys. */
export function failSpan(span: Span, errorType: string, message: string): void {
  span.setAttribute(ATTRIBUTE.errorType, errorType);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

function isEventStream(rawHeaders: readonly string[]): boolean {
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && /^content-type$/i.test(name));
  return at !== -1 && /^\s*text\/event-stream/i.test(rawHeaders[at + 1] ?? "");
}
