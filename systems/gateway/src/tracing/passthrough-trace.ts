/** The one span of a call that only passes through. */
import type { Span } from "@opentelemetry/api";
import type { AttemptObserver, CallObserver } from "../observers/call-observer.ts";
import type { UpstreamCall, UpstreamFailure } from "../upstream/upstream-client.ts";
import { failSpan } from "./attempt-trace.ts";
import { ATTRIBUTE } from "./semconv.ts";
import { withHeaders } from "./trace-context.ts";

export type PassthroughTraceOptions = {
  readonly span: Span;
  /** Of the provider. */
  readonly origin: string;
  /** Raw pairs that are added to what the provider gets. */
  readonly headers: readonly string[];
};

export class PassthroughTrace implements CallObserver {
  readonly #options: PassthroughTraceOptions;
  #failure: UpstreamFailure | null = null;
  #attempts = 0;

  constructor(options: PassthroughTraceOptions) {
    this.#options = options;
  }

  attempt(call: UpstreamCall): AttemptObserver {
    const { span, origin, headers } = this.#options;
    this.#attempts += 1;
    this.#failure = null;
    // Without the query: clients put credentials there.
    const [path = ""] = call.path.split("?", 1);
    span.setAttribute(ATTRIBUTE.passthroughUpstreamUrl, `${origin}${path}`);
    return {
      call: withHeaders(call, headers),
      head: () => {},
      data: () => {},
      end: () => {},
      failed: (failure) => {
        this.#failure = failure;
      },
      cancelled: () => {},
    };
  }

  closed(status: number | null): void {
    const { span } = this.#options;
    const failure = this.#failure;
    span.setAttribute(ATTRIBUTE.attempt, this.#attempts);
    if (status !== null) span.setAttribute(ATTRIBUTE.httpStatus, status);
    if (failure !== null) failSpan(span, failure.kind, `${failure.kind} (${failure.cause})`);
    else if (status === null) failSpan(span, "unanswered", "no answer was sent");
    else if (status >= 500) failSpan(span, String(status), `answered ${status}`);
    span.end();
  }

  understood(): void {}
  recorded(): void {}
  ended(): void {}
}
