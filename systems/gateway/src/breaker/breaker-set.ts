/** The circuit breakers of one provider, by endpoint and model: trouble with one model stops no other. */
import type { Clock } from "@atelier/base/clock";
import type { BreakerHealth } from "@atelier/contract/rpc/gateway-ports";
import { CircuitBreaker, type BreakerConfig } from "./circuit-breaker.ts";

/** Clients name models as they like: past this many, those with nothing to remember are forgotten. */
const BREAKERS_MAX = 1_000;

type Entry = {
  readonly endpoint: string;
  readonly model: string;
  readonly breaker: CircuitBreaker;
};

export class BreakerSet {
  readonly #config: BreakerConfig;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(config: BreakerConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  breakerOf(endpoint: string, model: string): CircuitBreaker {
    const key = `${endpoint}\n${model}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known.breaker;
    if (this.#entries.size >= BREAKERS_MAX) this.#forgetIdle();
    const breaker = new CircuitBreaker(this.#config, this.#clock);
    this.#entries.set(key, { endpoint, model, breaker });
    return breaker;
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
