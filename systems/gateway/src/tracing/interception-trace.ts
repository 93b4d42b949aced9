/**
 * The spans of one interception (spec gateway 10.4): reading the request, recording its start, the
 * exchanges with the provider, and one for each thing that is recorded in the end. They hold ids,
 * names and counts; never a prompt, an answer, a key, or a provider's own words.
 */
import {
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  type Tracer,
} from "@opentelemetry/api";
import type {
  GatewayProvider,
  InterceptionEnd,
  InterceptionStart,
} from "@atelier/contract/rpc/gateway-ports";
import type { ObservedResponse } from "@atelier/model-wire/observe-response";
import type { AttemptObserver, CallObserver } from "../observers/call-observer.ts";
import type { UpstreamCall } from "../upstream/upstream-client.ts";
import { AttemptTrace, failSpan } from "./attempt-trace.ts";
import { ATTRIBUTE, OPERATION_CHAT, PROVIDER_NAMES, REASONING_COUNTS, SPAN } from "./semconv.ts";
import { withHeaders } from "./trace-context.ts";

/** Of one interception, for what is recorded of it. A guess: more of them tell nothing more. */
const RECORD_SPANS_MAX = 100;

export type InterceptionTraceOptions = {
  readonly tracer: Tracer;
  readonly root: Span;
  /** Of every span of the interception, as far as they are known when it begins. */
  readonly attributes: Attributes;
  readonly provider: GatewayProvider;
  /** Raw pairs that tell the provider of a span. */
  readonly headersOf: (context: SpanContext) => readonly string[];
};

export class InterceptionTrace implements CallObserver {
  readonly #options: InterceptionTraceOptions;
  readonly #root: Span;
  readonly #context: Context;
  #attributes: Attributes;
  /** The step under way: reading, recording the start, or dealing with the provider. */
  #step: Span | null;
  #stepContext: Context;
  #attempts = 0;

  constructor(options: InterceptionTraceOptions) {
    this.#options = options;
    this.#root = options.root;
    this.#context = trace.setSpan(ROOT_CONTEXT, options.root);
    this.#stepContext = this.#context;
    this.#attributes = options.attributes;
    this.#step = this.#child(SPAN.create);
  }

  understood(start: InterceptionStart, request: { readonly stream: boolean }): void {
    const { type } = this.#options.provider;
    const known = {
      [ATTRIBUTE.interceptionId]: start.id,
      [ATTRIBUTE.model]: start.model,
      [ATTRIBUTE.streaming]: request.stream,
      ...(type === "anthropic" || type === "bedrock"
        ? { [ATTRIBUTE.awsBedrock]: type === "bedrock" }
        : {}),
    };
    this.#attributes = { ...this.#attributes, ...known };
    this.#root.setAttributes({
      ...known,
      [ATTRIBUTE.operation]: OPERATION_CHAT,
      [ATTRIBUTE.providerName]: PROVIDER_NAMES[type],
      [ATTRIBUTE.requestModel]: start.model,
    });
    this.#step?.setAttributes(known);
    this.#step?.end();
    this.#step = this.#child(SPAN.recordStart);
  }

  recorded(isDurable: boolean): void {
    const message = "the start could not be recorded";
    if (!isDurable && this.#step !== null) failSpan(this.#step, "not_recorded", message);
    this.#step?.end();
    this.#step = null;
    if (!isDurable) return failSpan(this.#root, "not_recorded", message);
    const step = this.#child(SPAN.process);
    this.#step = step;
    this.#stepContext = trace.setSpan(this.#context, step);
  }

  attempt(call: UpstreamCall): AttemptObserver {
    const { tracer, provider, headersOf } = this.#options;
    this.#attempts += 1;
    const { hostname, port, protocol } = new URL(provider.baseUrl);
    const attributes = {
      ...this.#attributes,
      [ATTRIBUTE.operation]: OPERATION_CHAT,
      [ATTRIBUTE.providerName]: PROVIDER_NAMES[provider.type],
      [ATTRIBUTE.requestModel]: this.#attributes[ATTRIBUTE.model],
      [ATTRIBUTE.attempt]: this.#attempts,
      [ATTRIBUTE.httpMethod]: call.method,
      [ATTRIBUTE.serverAddress]: hostname,
      [ATTRIBUTE.serverPort]: Number(port === "" ? DEFAULT_PORTS[protocol] : port),
    };
    const options = { kind: SpanKind.CLIENT, attributes };
    const span = tracer.startSpan(SPAN.upstream, options, this.#stepContext);
    return new AttemptTrace(span, withHeaders(call, headersOf(span.spanContext())));
  }

  ended(end: InterceptionEnd, observed: ObservedResponse | null): void {
    const [tokens] = end.tokens;
    this.#root.setAttributes({
      ...(observed?.model ? { [ATTRIBUTE.responseModel]: observed.model } : {}),
      ...(observed?.responseId ? { [ATTRIBUTE.responseId]: observed.responseId } : {}),
      ...(tokens === undefined ? {} : usageAttributes(tokens)),
    });
    if (end.error !== null) {
      const message = `the interception failed (${end.error.type})`;
      if (this.#step !== null) failSpan(this.#step, end.error.type, message);
      failSpan(this.#root, end.error.type, message);
    }
    this.#step?.end();
    this.#step = null;
    const recorded = [
      ...end.tokens.map(() => SPAN.recordTokens),
      ...end.prompts.map(() => SPAN.recordPrompt),
      ...end.toolCalls.map(() => SPAN.recordTool),
      ...end.thoughts.map(() => SPAN.recordThought),
    ];
    for (const name of recorded.slice(0, RECORD_SPANS_MAX)) this.#child(name).end();
    this.#child(SPAN.recordEnd).end();
  }

  closed(status: number | null): void {
    if (status !== null) this.#root.setAttribute(ATTRIBUTE.httpStatus, status);
    // A step that nobody ended: the request was refused, its client left, or we crashed.
    if (this.#step !== null) {
      const errorType = status === null ? "unanswered" : String(status);
      const message = status === null ? "no answer was sent" : `answered ${status}`;
      failSpan(this.#step, errorType, message);
      failSpan(this.#root, errorType, message);
      this.#step.end();
      this.#step = null;
    }
    this.#root.end();
  }

  #child(name: string): Span {
    const options = { attributes: this.#attributes };
    return this.#options.tracer.startSpan(name, options, this.#context);
  }
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

function usageAttributes(tokens: InterceptionEnd["tokens"][number]): Attributes {
  const { input, output, cacheReadInput, cacheWriteInput, extra } = tokens;
  const reasoning = REASONING_COUNTS.map((name) => extra[name]).find(
    (count) => count !== undefined,
  );
  return {
    [ATTRIBUTE.inputTokens]: input + cacheReadInput + cacheWriteInput,
    [ATTRIBUTE.outputTokens]: output,
    ...(cacheReadInput > 0 ? { [ATTRIBUTE.cacheReadTokens]: cacheReadInput } : {}),
    ...(cacheWriteInput > 0 ? { [ATTRIBUTE.cacheWriteTokens]: cacheWriteInput } : {}),
    ...(reasoning === undefined ? {} : { [ATTRIBUTE.reasoningTokens]: reasoning }),
  };
}
