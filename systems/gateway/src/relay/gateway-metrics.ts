/** What the gateway counts. Labels stay few: high-cardinality facts are in the records. */
import type { Metrics } from "@atelier/host/metrics";

type Labels<Name extends string> = Readonly<Partial<Record<Name, string | number>>>;
type Counter<Name extends string> = {
  inc(labels: Labels<Name>, by?: number): void;
  /** The same counter with its labels made once. */
  labels(labels: Labels<Name>): { inc(by?: number): void };
};
type Gauge<Name extends string> = { labels(labels: Labels<Name>): { inc(by?: number): void } };
type Histogram<Name extends string> = {
  observe(labels: Labels<Name>, value: number): void;
  labels(labels: Labels<Name>): { observe(value: number): void };
};

export type GatewayMetrics = {
  readonly interceptions: Counter<
    "provider" | "model" | "status" | "route" | "method" | "initiator_id" | "client"
  >;
  readonly underWay: Gauge<"provider" | "model" | "route">;
  readonly durationSeconds: Histogram<"provider" | "model">;
  readonly passthrough: Counter<"provider" | "route" | "method">;
  readonly prompts: Counter<"provider" | "model" | "initiator_id" | "client">;
  readonly tokens: Counter<"provider" | "model" | "type" | "initiator_id" | "client">;
  readonly toolSelections: Counter<"provider" | "model" | "name">;
  readonly refusals: Counter<"status">;
  readonly keyTransitions: Counter<"provider" | "reason">;
  readonly keyExhaustions: Counter<"provider" | "outcome">;
  readonly failoverAttempts: Histogram<"provider">;
  readonly reasoningStripped: Counter<"provider">;
  readonly keyQueueSeconds: Histogram<"provider">;
  readonly keyQueueRefusals: Counter<"provider" | "reason">;
  readonly breakerTrips: Counter<"provider" | "endpoint" | "model">;
  readonly breakerRejects: Counter<"provider" | "endpoint" | "model">;
};

export function createGatewayMetrics(metrics: Metrics): GatewayMetrics {
  return { ...createUseMetrics(metrics), ...createTroubleMetrics(metrics) };
}

function createUseMetrics(metrics: Metrics) {
  return {
    interceptions: metrics.counter(
      "ai_gateway_interceptions_total",
      "Bridged requests that ended, by outcome (completed or failed)",
      ["provider", "model", "status", "route", "method", "initiator_id", "client"],
    ),
    underWay: metrics.gauge("ai_gateway_interceptions_inflight", "Bridged requests under way", [
      "provider",
      "model",
      "route",
    ]),
    durationSeconds: metrics.histogram(
      "ai_gateway_interceptions_duration_seconds",
      "Time from a bridged request's start record to its end",
      ["provider", "model"],
      [0.5, 2, 5, 15, 30, 60, 120],
    ),
    passthrough: metrics.counter(
      "ai_gateway_passthrough_total",
      "Requests on routes that only pass through",
      ["provider", "route", "method"],
    ),
    prompts: metrics.counter(
      "ai_gateway_prompts_total",
      "Prompts of people in bridged requests that were answered",
      ["provider", "model", "initiator_id", "client"],
    ),
    tokens: metrics.counter("ai_gateway_tokens_total", "Tokens that providers reported, by type", [
      "provider",
      "model",
      "type",
      "initiator_id",
      "client",
    ]),
    toolSelections: metrics.counter(
      "ai_gateway_non_injected_tool_selections_total",
      "Calls that models made of the clients' own tools",
      ["provider", "model", "name"],
    ),
  };
}

function createTroubleMetrics(metrics: Metrics) {
  return {
    refusals: metrics.counter(
      "ai_gateway_refusals_total",
      "Requests that the gateway answered itself, by status",
      ["status"],
    ),
    keyTransitions: metrics.counter(
      "ai_gateway_key_pool_state_transitions_total",
      "Provider keys that went out of service, by reason",
      ["provider", "reason"],
    ),
    keyExhaustions: metrics.counter(
      "ai_gateway_key_pool_exhaustions_total",
      "Calls for which no provider key was left, by outcome",
      ["provider", "outcome"],
    ),
    failoverAttempts: metrics.histogram(
      "ai_gateway_key_pool_failover_attempts",
      "Keys tried for one bridged request",
      ["provider"],
      [1, 2, 3, 4, 5, 10, 25],
    ),
    reasoningStripped: metrics.counter(
      "ai_gateway_reasoning_stripped_total",
      "Requests that went on without signed reasoning, because their provider refused it as another's",
      ["provider"],
    ),
    keyQueueSeconds: metrics.histogram(
      "ai_gateway_key_queue_seconds",
      "Time that requests waited for a provider key below its limit of concurrent requests, of those that had to",
      ["provider"],
      [0.1, 0.5, 1, 2, 5, 10, 30, 60],
    ),
    keyQueueRefusals: metrics.counter(
      "ai_gateway_key_queue_refusals_total",
      "Requests refused because all keys were at their limit: queue_full or queue_timeout",
      ["provider", "reason"],
    ),
    breakerTrips: metrics.counter(
      "ai_gateway_circuit_breaker_trips_total",
      "Circuit breakers that opened",
      ["provider", "endpoint", "model"],
    ),
    breakerRejects: metrics.counter(
      "ai_gateway_circuit_breaker_rejects_total",
      "Requests that an open circuit breaker refused",
      ["provider", "endpoint", "model"],
    ),
  };
}
