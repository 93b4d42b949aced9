/**
 * A circuit breaker for each endpoint and model of one provider (spec gateway 6). It opens after so many
 * failures in a row, so that a provider in trouble is not asked again and again, and lets a few requests
 * through after a while to see whether it recovered.
 *
 * Only the provider's own trouble counts: a client's faults and a client that leaves count for nothing.
 */
import type { Clock } from "@atelier/base/clock";
import type { BreakerHealth } from "@atelier/contract/rpc/gateway-ports";

export type BreakerConfig = {
  /** Failures in a row that open it. */
  readonly failureThreshold: number;
  /** The count of failures starts anew this often while it is closed. */
  readonly intervalMs: number;
  /** How long it stays open before it lets requests through again. */
  readonly openMs: number;
  /** Requests that are let through then; as many successes in a row close it. */
  readonly probesMax: number;
};

export type BreakerVerdict =
  | { readonly kind: "admitted"; readonly ticket: BreakerTicket }
  | { readonly kind: "rejected"; readonly retryInMs: number };

/** Of an admitted request; given back exactly once. */
export type BreakerTicket = { readonly generation: number };

export type BreakerOutcome = "success" | "failure" | "neutral";

type State =
  | { readonly kind: "closed"; failures: number; countsUntilMs: number }
  | { readonly kind: "open"; readonly untilMs: number }
  | { readonly kind: "half_open"; underWay: number; successes: number };

export type BreakerState = State["kind"];

export type BreakerChange = { readonly from: BreakerState; readonly to: BreakerState };

export class CircuitBreaker {
  readonly #config: BreakerConfig;
  readonly #clock: Clock;
  readonly #onChange: (change: BreakerChange) => void;
  #state: State;
  /** Outcomes of requests from before the last change of state say nothing of this one. */
  #generation = 0;

  constructor(
    config: BreakerConfig,
    clock: Clock,
    onChange: (change: BreakerChange) => void = () => {},
  ) {
    this.#config = config;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#state = this.#closed();
  }

  /** Whether there is nothing worth remembering. */
  get isIdle(): boolean {
    return this.#state.kind === "closed" && this.#state.failures === 0;
  }

  admit(): BreakerVerdict {
    const nowMs = this.#clock.monotonicMs();
    if (this.#state.kind === "open" && nowMs >= this.#state.untilMs) {
      this.#become({ kind: "half_open", underWay: 0, successes: 0 });
    }
    const state = this.#state;
    if (state.kind === "open") return { kind: "rejected", retryInMs: state.untilMs - nowMs };
    if (state.kind === "half_open") {
      // The probes under way will tell soon.
      if (state.underWay + state.successes >= this.#config.probesMax) {
        return { kind: "rejected", retryInMs: 0 };
      }
      state.underWay += 1;
    }
    return { kind: "admitted", ticket: { generation: this.#generation } };
  }

  get state(): BreakerState {
    return this.#state.kind;
  }

  /** What it did with this: null, if it goes on as it was. */
  report({ generation }: BreakerTicket, outcome: BreakerOutcome): "opened" | "closed" | null {
    if (generation !== this.#generation) return null;
    const state = this.#state;
    if (state.kind === "half_open") return this.#reportProbe(state, outcome);
    if (state.kind === "open" || outcome === "neutral") return null;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= state.countsUntilMs) {
      state.failures = 0;
      state.countsUntilMs = nowMs + this.#config.intervalMs;
    }
    if (outcome === "success") {
      state.failures = 0;
      return null;
    }
    state.failures += 1;
    if (state.failures < this.#config.failureThreshold) return null;
    this.#open();
    return "opened";
  }

  /** 0: it is not open. */
  get openForMs(): number {
    const state = this.#state;
    return state.kind === "open" ? Math.max(0, state.untilMs - this.#clock.monotonicMs()) : 0;
  }

  /**
   * Another server's breaker of the same model opened for so long, or closed (null). Followed no longer than
   * this one would stay open, and never shortened by it. True if that changed something.
   */
  follow(openForMs: number | null): boolean {
    const { kind } = this.#state;
    if (openForMs === null) {
      if (kind !== "closed") this.#become(this.#closed());
      return kind !== "closed";
    }
    const forMs = Math.min(openForMs, this.#config.openMs);
    if (forMs <= this.openForMs) return false;
    this.#become({ kind: "open", untilMs: this.#clock.monotonicMs() + forMs });
    return kind !== "open";
  }

  /** Null: closed. */
  health(endpoint: string, model: string): BreakerHealth | null {
    const state = this.#state;
    if (state.kind === "closed") return null;
    const now = this.#clock.now();
    const retriesAt = new Date(now.getTime() + this.openForMs);
    return { endpoint, model, state: state.kind, retriesAt };
  }

  #reportProbe(
    state: Extract<State, { kind: "half_open" }>,
    outcome: BreakerOutcome,
  ): "opened" | "closed" | null {
    state.underWay -= 1;
    if (outcome === "failure") {
      this.#open();
      return "opened";
    }
    if (outcome === "success") state.successes += 1;
    if (state.successes < this.#config.probesMax) return null;
    this.#become(this.#closed());
    return "closed";
  }

  #open(): void {
    this.#become({ kind: "open", untilMs: this.#clock.monotonicMs() + this.#config.openMs });
  }

  #closed(): State {
    const countsUntilMs = this.#clock.monotonicMs() + this.#config.intervalMs;
    return { kind: "closed", failures: 0, countsUntilMs };
  }

  #become(state: State): void {
    const from = this.#state.kind;
    this.#state = state;
    this.#generation += 1;
    if (from !== state.kind) this.#onChange({ from, to: state.kind });
  }
}

/** The statuses that tell of a provider in trouble; 529 is Anthropic's word for overloaded. */
const FAILURE_STATUSES: ReadonlySet<number> = new Set([429, 503, 504, 529]);

export function outcomeOfStatus(status: number): BreakerOutcome {
  return FAILURE_STATUSES.has(status) ? "failure" : "success";
}
