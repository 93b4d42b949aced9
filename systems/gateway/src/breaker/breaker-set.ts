/** The circuit breakers of one provider, by endpoint and model: trouble with one model stops no other. */
import type { Clock } from "@atelier/base/clock";
import type { BreakerHealth } from "@atelier/contract/rpc/gateway-ports";
import { OWN_NOTES, type Notebook } from "../shared/note.ts";
import {
  CircuitBreaker,
  closedBreaker,
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

export type BreakerSetDeps = {
  readonly config: BreakerConfig;
  readonly clock: Clock;
  readonly onChange?: (change: BreakerStateChange) => void;
  /** Absent: this thread is alone. */
  readonly notebook?: Notebook;
  /** Tells this provider's breakers from others in the notebook. */
  readonly notesPrefix?: string;
};

export class BreakerSet {
  readonly #config: BreakerConfig;
  readonly #clock: Clock;
  readonly #onChange: (change: BreakerStateChange) => void;
  readonly #notebook: Notebook;
  readonly #notesPrefix: string;
  readonly #entries = new Map<string, Entry>();

  constructor({ config, clock, onChange, notebook, notesPrefix }: BreakerSetDeps) {
    this.#config = config;
    this.#clock = clock;
    this.#onChange = onChange ?? (() => {});
    this.#notebook = notebook ?? OWN_NOTES;
    this.#notesPrefix = notesPrefix ?? "";
  }

  breakerOf(endpoint: string, model: string): CircuitBreaker {
    const key = `${endpoint}\n${model}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known.breaker;
    if (this.#entries.size >= BREAKERS_MAX) this.#forgetIdle();
    const config = this.#config;
    const clock = this.#clock;
    const breaker = new CircuitBreaker({
      config,
      clock,
      note: this.#notebook.note(`${this.#notesPrefix}${key}`, () => closedBreaker(config, clock)),
      member: this.#notebook.member,
      onChange: (change) => this.#onChange({ ...change, endpoint, model }),
    });
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
    this.#meetOthers();
    return [...this.#entries.values()].flatMap(({ endpoint, model, breaker }) => {
      const health = breaker.health(endpoint, model);
      return health === null ? [] : [health];
    });
  }

  /** The provider is gone. */
  forgetAll(): void {
    for (const { breaker } of this.#entries.values()) breaker.forget();
  }

  /** Those of which only other threads know. */
  #meetOthers(): void {
    for (const name of this.#notebook.names(this.#notesPrefix)) {
      const [endpoint = "", model = ""] = name.slice(this.#notesPrefix.length).split("\n");
      this.breakerOf(endpoint, model);
    }
  }

  #forgetIdle(): void {
    for (const [key, { breaker }] of this.#entries) {
      if (breaker.isIdle) this.#entries.delete(key);
    }
  }
}
