/** Keys by state and open circuit breakers, counted when somebody looks. */
import type { Metrics } from "@atelier/host/metrics";
import type { ProviderStates } from "./provider-states.ts";

const STATES = ["valid", "temporary", "permanent"] as const;

export function observeStates(metrics: Metrics, states: ProviderStates): void {
  const keys = metrics.gauge(
    "ai_gateway_key_pool_state",
    "Provider keys by state, as this server sees them",
    ["provider", "state"],
  );
  const breakers = metrics.gauge(
    "ai_gateway_circuit_breakers_open",
    "Circuit breakers that are open or half open",
    ["provider"],
  );
  metrics.onRender(() => {
    // Providers and their names come and go.
    keys.reset();
    breakers.reset();
    for (const provider of states.all()) {
      for (const state of STATES) {
        const count = provider.keys.filter((key) => key.state === state).length;
        keys.set({ provider: provider.name, state }, count);
      }
      breakers.set({ provider: provider.name }, provider.breakers.length);
    }
  });
}
