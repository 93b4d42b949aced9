/** The options of tracing, and what they mean together. */
import type { Secret } from "@atelier/base/secret";
import type { TracingOptions } from "@atelier/host/tracing";
import type { Option, OptionValues } from "@atelier/host/option";

/** Where a collector on the same machine listens by convention. */
const DEFAULT_ENDPOINT = "http://127.0.0.1:4318";

export const TRACE_OPTIONS = [
  {
    name: "trace-enable",
    kind: "bool",
    default: false,
    group: "Operations",
    description: "Send traces of gateway requests to the trace-endpoint.",
  },
  {
    name: "trace-endpoint",
    kind: "url",
    default: null,
    defaultText: DEFAULT_ENDPOINT,
    aliases: ["OTEL_EXPORTER_OTLP_ENDPOINT"],
    group: "Operations",
    description:
      "OpenTelemetry collector that takes OTLP over HTTP with JSON. /v1/traces is added to its URL.",
  },
  {
    name: "trace-headers",
    kind: "secret",
    default: null,
    defaultText: "none",
    check: (text: string) =>
      traceHeadersOf(text) === null ? "is not name=value,name=value" : null,
    aliases: ["OTEL_EXPORTER_OTLP_HEADERS"],
    group: "Operations",
    description:
      "Headers for the collector, such as its credential, as name=value,name=value. Values may be percent-encoded.",
  },
  {
    name: "trace-sampling-ratio",
    kind: "string",
    default: "1",
    check: (text: string) =>
      /^(?:0|1|[01]?\.\d+)$/.test(text) && Number(text) <= 1 ? null : "is not a number from 0 to 1",
    group: "Operations",
    description:
      "Which part of the traces that begin here is sent. Where a client's traceparent says whether its trace is sampled, that counts.",
  },
  {
    name: "trace-service-name",
    kind: "string",
    default: "atelier",
    aliases: ["OTEL_SERVICE_NAME"],
    group: "Operations",
    description: "The name of this deployment in traces.",
  },
] as const satisfies readonly Option[];

export type TraceValue = keyof OptionValues<typeof TRACE_OPTIONS>;

export type TracingConfig = {
  readonly endpoint: string;
  readonly headers: Secret | null;
  readonly samplingRatio: number;
  readonly serviceName: string;
};

/** Null: nothing is traced. */
export function tracingOf(values: OptionValues<typeof TRACE_OPTIONS>): TracingConfig | null {
  if (!values.traceEnable) return null;
  return {
    endpoint: values.traceEndpoint ?? DEFAULT_ENDPOINT,
    headers: values.traceHeaders,
    samplingRatio: Number(values.traceSamplingRatio),
    serviceName: values.traceServiceName,
  };
}

/** With the headers in clear. */
export function tracingOptionsOf({ headers: text, ...rest }: TracingConfig): TracingOptions {
  return { ...rest, headers: text === null ? {} : (traceHeadersOf(text.reveal()) ?? {}) };
}

/** As OTEL_EXPORTER_OTLP_HEADERS has them. Null: that is no list of headers. */
export function traceHeadersOf(text: string): Readonly<Record<string, string>> | null {
  const headers: Record<string, string> = {};
  for (const part of text.split(",")) {
    const [, name, value = ""] = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    if (name === undefined) return null;
    try {
      headers[name] = decodeURIComponent(value);
    } catch {
      return null; // A percent sign that encodes nothing.
    }
  }
  return headers;
}
