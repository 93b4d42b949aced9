/** A tracer that keeps its spans in memory, and says when a call's spans are whole. For tests only. */
import { SpanStatusCode, type Tracer } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from "@opentelemetry/sdk-trace";

/** Spans that a call begins with: when they end, all others have. */
const ROOTS = ["Intercept", "Passthrough"];

export type SpanCollector = {
  readonly tracer: Tracer;
  /** All spans so far, once so many calls have ended. */
  spans(calls: number): Promise<readonly ReadableSpan[]>;
};

export function collectSpans(): SpanCollector {
  const exporter = new InMemorySpanExporter();
  const waiters = new Set<() => void>();
  const provider = new TracerProvider({
    spanProcessors: [
      new SimpleSpanProcessor({ exporter }),
      {
        onStart: () => {},
        onEnd: () => {
          for (const wake of waiters) wake();
        },
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  });
  return {
    tracer: provider.getTracer("test"),
    spans: async (calls) => {
      for (;;) {
        const spans = exporter.getFinishedSpans();
        if (spans.filter(({ name }) => ROOTS.includes(name)).length >= calls) return spans;
        await new Promise<void>((resolve) => waiters.add(resolve));
      }
    },
  };
}

/** As trees, children below their parents in the order of a call; failed ones say so. */
export function treeOf(spans: readonly ReadableSpan[]): string[] {
  const ordered = spans.toSorted(compare);
  const isHere = (id: string | undefined): boolean =>
    spans.some((span) => span.spanContext().spanId === id);
  const below = (parentId: string | null, indent: string): string[] =>
    ordered
      .filter(({ parentSpanContext: parent }) =>
        parentId === null ? !isHere(parent?.spanId) : parent?.spanId === parentId,
      )
      .flatMap((span) => [
        `${indent}${span.name}${isFailed(span) ? " failed" : ""}`,
        ...below(span.spanContext().spanId, `${indent}  `),
      ]);
  return below(null, "");
}

function isFailed(span: ReadableSpan): boolean {
  return span.status.code === SpanStatusCode.ERROR;
}

/** Not by time: several begin in one millisecond. */
const STEPS = ["CreateInterceptor", "RecordInterception", "ProcessRequest"];

function compare(a: ReadableSpan, b: ReadableSpan): number {
  const attempts = attemptOf(a) - attemptOf(b);
  return attempts || placeOf(a) - placeOf(b) || a.name.localeCompare(b.name);
}

function attemptOf({ attributes }: ReadableSpan): number {
  return Number(attributes["attempt"] ?? 0);
}

function placeOf({ name }: ReadableSpan): number {
  if (name.endsWith("Ended")) return STEPS.length + 1;
  const step = STEPS.findIndex((part) => name.endsWith(part));
  return step === -1 ? STEPS.length : step;
}
