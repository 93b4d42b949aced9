/** Keys by state and circuit breakers, counted when somebody looks. */
import type { Metrics } from "@atelier/host/metrics";
import type { BreakerState } from "../breaker/circuit-breaker.ts";
import type { ModelLabels } from "../labels/model-labels.ts";
import type { ProviderStates } from "./provider-states.ts";

const STATES = ["valid", "temporary", "permanent"] as const;
const BREAKER_VALUES: Readonly<Record<BreakerState, number>> = {
  closed: 0,
  half_open: 0.5,
  open: 1,
};

export function observeStates(metrics: Metrics, states: ProviderStates, labels: ModelLabels): void {
  const keys = metrics.gauge(
    "ai_gateway_key_pool_state",
    "Provider keys by state, as this server sees them",
    ["provider", "state"],
    "max",
  );
  const breakersOpen = metrics.gauge(
    "ai_gateway_circuit_breakers_open",
    "Circuit breakers that are open or half open",
    ["provider"],
    "max",
  );
  const breakers = metrics.gauge(
    "ai_gateway_circuit_breaker_state",
    "Circuit breakers in use: 0 closed, 0.5 half open, 1 open",
    ["provider", "endpoint", "model"],
    "max",
  );
  const slots = metrics.gauge(
    "ai_gateway_key_slots",
    "Requests under way with the keys of providers that have max_concurrency_per_key",
    ["provider"],
    "max",
  );
  const waiting = metrics.gauge(
    "ai_gateway_key_queue_length",
    "Requests that wait for a provider key below its limit of concurrent requests",
    ["provider"],
    "max",
  );
  metrics.onRender(() => {
    // Providers and their names come and go.
    keys.reset();
    breakersOpen.reset();
    breakers.reset();
    slots.reset();
    waiting.reset();
    for (const provider of states.all()) {
      for (const state of STATES) {
        const count = provider.keys.filter((key) => key.state === state).length;
        keys.set({ provider: provider.name, state }, count);
      }
      breakersOpen.set({ provider: provider.name }, provider.breakers.length);
      const taken = provider.keys.flatMap(({ underWay }) => underWay ?? []);
      if (taken.length > 0) {
        const sum = taken.reduce((total, each) => total + each, 0);
        slots.set({ provider: provider.name }, sum);
        waiting.set({ provider: provider.name }, provider.waiting);
      }
      // Models that share the label "other" show the worst of them, so the worst comes last.
      const ordered = provider.breakerStates
        .map(({ endpoint, model, state }) => ({ endpoint, model, value: BREAKER_VALUES[state] }))
        .toSorted((a, b) => a.value - b.value);
      for (const { endpoint, model, value } of ordered) {
        const label = labels.modelOf(provider.name, model);
        breakers.set({ provider: provider.name, endpoint, model: label }, value);
      }
    }
  });
}
