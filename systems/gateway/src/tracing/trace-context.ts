/**
 * The trace that a request belongs to, as it stands in headers (W3C Trace Context, level 1). A header
 * that is wrong in any way is ignored, as the specification has it: the trace then begins here. Vendors'
 * additions (tracestate) end here: nothing of ours reads them.
 */
import {
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Context,
  type SpanContext,
} from "@opentelemetry/api";
import type { IncomingHttpHeaders } from "node:http";
import type { UpstreamCall } from "../upstream/upstream-client.ts";

/** Version, trace id, span id, flags. Later versions may add parts. */
const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;

/** The client's span as the parent of ours, or no parent. */
export function parentContextOf(headers: IncomingHttpHeaders): Context {
  const parent = parseTraceParent(headers["traceparent"]);
  if (parent === null) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}

/** Raw pairs that make the span with this context the parent of whatever the receiver does. */
export function traceHeadersOf({ traceId, spanId, traceFlags }: SpanContext): string[] {
  const flags = (traceFlags & TraceFlags.SAMPLED) === 0 ? "00" : "01";
  return ["traceparent", `00-${traceId}-${spanId}-${flags}`];
}

/** The call with the headers of its trace. */
export function withHeaders(call: UpstreamCall, headers: readonly string[]): UpstreamCall {
  return headers.length === 0 ? call : { ...call, headers: [...call.headers, ...headers] };
}

function parseTraceParent(header: string | string[] | undefined): SpanContext | null {
  if (typeof header !== "string") return null;
  const [, version, traceId = "", spanId = "", flags = "", rest] = TRACE_PARENT.exec(header) ?? [];
  if (version === undefined || version === "ff") return null;
  if (version === "00" && rest !== undefined) return null;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return null;
  const isSampled = (Number.parseInt(flags, 16) & TraceFlags.SAMPLED) !== 0;
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return { traceId, spanId, traceFlags, isRemote: true };
}
