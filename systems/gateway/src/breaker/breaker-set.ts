/** The circuit breakers of one provider, by endpoint and model: trouble with one model stops no other. */
import type { Clock } from "@atelier/base/clock";
import type { BreakerHealth } from "@atelier/contract/rpc/gateway-ports";
import {
  CircuitBreaker,
  type BreakerChange,
  type BreakerConfig,
  type BreakerState,
} from "./circuit-breaker.ts";

/** Clients name models as they like: past this many, those with nothing to remember are forgotten. */
const BREAKERS_MAX = 1_000;

type Entry = {
  readonly endpoint: string;
  readonly model: string;
  readonly breaker: CircuitBreaker;
};

export type BreakerStateChange = BreakerChange & {
  readonly endpoint: string;
  readonly model: string;
};

export class BreakerSet {
  readonly #config: BreakerConfig;
  readonly #clock: Clock;
  readonly #onChange: (change: BreakerStateChange) => void;
  readonly #entries = new Map<string, Entry>();

  constructor(
    config: BreakerConfig,
    clock: Clock,
    onChange: (change: BreakerStateChange) => void = () => {},
  ) {
    this.#config = config;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  breakerOf(endpoint: string, model: string): CircuitBreaker {
    const key = `${endpoint}\n${model}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known.breaker;
    if (this.#entries.size >= BREAKERS_MAX) this.#forgetIdle();
    const breaker = new CircuitBreaker(this.#config, this.#clock, (change) =>
      this.#onChange({ ...change, endpoint, model }),
    );
    this.#entries.set(key, { endpoint, model, breaker });
    return breaker;
  }

  /** All that were used lately. */
  states(): { readonly endpoint: string; readonly model: string; readonly state: BreakerState }[] {
    return [...this.#entries.values()].map(({ endpoint, model, breaker }) => {
      return { endpoint, model, state: breaker.state };
    });
  }

  /** Those that are not simply closed. */
  health(): BreakerHealth[] {
    return [...this.#entries.values()].flatMap(({ endpoint, model, breaker }) => {
      const health = breaker.health(endpoint, model);
      return health === null ? [] : [health];
    });
  }

  #forgetIdle(): void {
    for (const [key, { breaker }] of this.#entries) {
      if (breaker.isIdle) this.#entries.delete(key);
    }
  }
}
