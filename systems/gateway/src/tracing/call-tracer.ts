/**
 * Makes the traces of calls, where tracing is on. A call that is not sampled has none and costs the
 * decision only; where providers are told of traces, it still carries the decision on.
 */
import { SpanKind, type Context, type SpanContext, type Tracer } from "@opentelemetry/api";
import type { Caller, GatewayProvider } from "@atelier/contract/rpc/gateway-ports";
import type { IncomingMessage } from "node:http";
import type { AttemptObserver, CallObserver } from "../observers/call-observer.ts";
import type { UpstreamCall } from "../upstream/upstream-client.ts";
import { InterceptionTrace } from "./interception-trace.ts";
import { PassthroughTrace } from "./passthrough-trace.ts";
import { ATTRIBUTE, SPAN } from "./semconv.ts";
import { parentContextOf, traceHeadersOf, withHeaders } from "./trace-context.ts";

export type TracedCall = {
  readonly req: Pick<IncomingMessage, "headers" | "method">;
  readonly caller: Pick<Caller, "userId">;
  readonly provider: GatewayProvider;
  /** The path after the provider's name, as the client spelt it. */
  readonly path: string;
};

export type CallTracerDeps = {
  readonly tracer: Tracer;
  /** Whether providers are told which trace a request belongs to. */
  readonly tellsProviders: boolean;
};

export class CallTracer {
  readonly #tracer: Tracer;
  readonly #tellsProviders: boolean;

  constructor({ tracer, tellsProviders }: CallTracerDeps) {
    this.#tracer = tracer;
    this.#tellsProviders = tellsProviders;
  }

  /** Null: this call is not traced. */
  bridged(call: TracedCall): CallObserver | null {
    const parent = parentContextOf(call.req.headers);
    const attributes = {
      [ATTRIBUTE.requestPath]: call.path,
      [ATTRIBUTE.userId]: call.caller.userId,
      [ATTRIBUTE.provider]: call.provider.name,
    };
    const span = this.#start(SPAN.intercept, parent, attributes);
    if (!span.isRecording()) return this.#untraced(span.spanContext());
    return new InterceptionTrace({
      tracer: this.#tracer,
      root: span,
      attributes,
      provider: call.provider,
      headersOf: (context) => this.#headersOf(context),
    });
  }

  /** Null: this call is not traced. */
  passthrough(call: TracedCall): CallObserver | null {
    const parent = parentContextOf(call.req.headers);
    const span = this.#start(SPAN.passthrough, parent, {
      [ATTRIBUTE.userId]: call.caller.userId,
      [ATTRIBUTE.provider]: call.provider.name,
      [ATTRIBUTE.passthroughUrl]: call.path,
      [ATTRIBUTE.passthroughMethod]: call.req.method ?? "",
    });
    if (!span.isRecording()) return this.#untraced(span.spanContext());
    const { origin } = new URL(call.provider.baseUrl);
    return new PassthroughTrace({ span, origin, headers: this.#headersOf(span.spanContext()) });
  }

  #start(name: string, parent: Context, attributes: Readonly<Record<string, string>>) {
    return this.#tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
  }

  #headersOf(context: SpanContext): readonly string[] {
    return this.#tellsProviders ? traceHeadersOf(context) : [];
  }

  #untraced(context: SpanContext): CallObserver | null {
    return this.#tellsProviders ? new HeadersOnly(traceHeadersOf(context)) : null;
  }
}

/** Tells the provider that the trace is not sampled here, and sees nothing. */
class HeadersOnly implements CallObserver {
  readonly #headers: readonly string[];

  constructor(headers: readonly string[]) {
    this.#headers = headers;
  }

  attempt(call: UpstreamCall): AttemptObserver {
    return {
      call: withHeaders(call, this.#headers),
      head: () => {},
      data: () => {},
      end: () => {},
      failed: () => {},
      cancelled: () => {},
    };
  }

  understood(): void {}
  recorded(): void {}
  ended(): void {}
  closed(): void {}
}
