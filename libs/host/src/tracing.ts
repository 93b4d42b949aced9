/**
 * Traces, sent to a collector by OTLP over HTTP. The OpenTelemetry SDK is loaded when tracing starts and
 * not before: a process that does not trace does not pay for it.
 *
 * A collector that is slow or away costs spans and a line in the log, never a request: what waits is
 * limited, and so is the wait at the end.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { Tracer } from "@opentelemetry/api";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { VERSION } from "./version.ts";

export type TracingOptions = {
  /** Of the collector; `/v1/traces` is added where it does not end so. */
  readonly endpoint: string;
  /** Sent with each export: a collector's credential, most often. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** From 0 to 1, of the traces that begin here. A client's own decision is kept. */
  readonly samplingRatio: number;
};

export type TracingDeps = {
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
};

/** Disposed of, it sends what is left, for FLUSH_MS_MAX at most. */
export type Tracing = AsyncDisposable & { readonly tracer: Tracer };

const TRACES_PATH = "/v1/traces";
const EXPORT_MS_MAX = 5_000;
const EXPORT_EVERY_MS = 1_000;
const QUEUE_SPANS_MAX = 4_096;
const BATCH_SPANS_MAX = 512;
const FLUSH_MS_MAX = 1_500;
/** UTF-16 units: clients choose the names of models. */
const ATTRIBUTE_LENGTH_MAX = 1_024;

export async function startTracing(options: TracingOptions, deps: TracingDeps): Promise<Tracing> {
  const { endpoint, headers, serviceName, samplingRatio } = options;
  const sdk = await import("@opentelemetry/sdk-trace");
  const { resourceFromAttributes } = await import("@opentelemetry/resources");
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  const url = endpoint.endsWith(TRACES_PATH) ? endpoint : `${endpoint}${TRACES_PATH}`;
  const exporter = new OTLPTraceExporter({ url, headers, timeoutMillis: EXPORT_MS_MAX });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      "service.name": serviceName,
      "service.version": VERSION,
      "service.instance.id": deps.random.uuid(),
    }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(samplingRatio) }),
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_LENGTH_MAX },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new ReportingExporter(exporter, deps.log),
        scheduledDelayMillis: EXPORT_EVERY_MS,
        exportTimeoutMillis: EXPORT_MS_MAX,
        maxQueueSize: QUEUE_SPANS_MAX,
        maxExportBatchSize: BATCH_SPANS_MAX,
      }),
    ],
  });
  return {
    tracer: provider.getTracer("atelier", VERSION),
    [Symbol.asyncDispose]: () => endWithin(provider.shutdown(), deps),
  };
}

async function endWithin(ended: Promise<void>, { clock, log }: TracingDeps): Promise<void> {
  const timer = new AbortController();
  const late = clock.sleep(FLUSH_MS_MAX, timer.signal).then(
    () => log.warn({}, "the last traces were not sent in time"),
    () => {}, // They were sent.
  );
  // A failed export is in the log already.
  await Promise.race([ended.catch(() => {}), late]);
  timer.abort(new Error("ended"));
}

type ExportResult = Parameters<Parameters<SpanExporter["export"]>[1]>[0];

/** One line when exports begin to fail and one when they work again. */
class ReportingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #log: Logger;
  #isFailing = false;

  constructor(exporter: SpanExporter, log: Logger) {
    this.#exporter = exporter;
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      this.#report(result, spans.length);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve();
  }

  #report({ code, error }: ExportResult, spans: number): void {
    const hasFailed = code !== EXPORTED;
    if (hasFailed && !this.#isFailing) {
      const cause = error === undefined ? "" : `${error.name}: ${error.message}`;
      this.#log.warn({ cause: cause.slice(0, CAUSE_LENGTH_MAX), spans }, "sending traces failed");
    }
    if (!hasFailed && this.#isFailing) this.#log.info({}, "traces are sent again");
    this.#isFailing = hasFailed;
  }
}

/** ExportResultCode.SUCCESS: its package is the SDK's own, so that nothing of it is loaded here. */
const EXPORTED = 0;
const CAUSE_LENGTH_MAX = 200;
