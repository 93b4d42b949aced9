/**
 * A circuit breaker for each endpoint and model of one provider (spec gateway 6). It opens after so many
 * failures in a row, so that a provider in trouble is not asked again and again, and lets a few requests
 * through after a while to see whether it recovered.
 *
 * Only the provider's own trouble counts: a client's faults and a client that leaves count for nothing.
 */
import type { Clock } from "@atelier/base/clock";
import type { BreakerHealth } from "@atelier/contract/rpc/gateway-ports";
import type { Note } from "../shared/note.ts";

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

type Reported = "opened" | "closed" | null;

type State =
  | { readonly kind: "closed"; failures: number; countsUntilMs: number }
  | { readonly kind: "open"; readonly untilMs: number }
  /** Probes under way are counted for each thread, so that those of a dead one can be given back. */
  | { readonly kind: "half_open"; underWay: number[]; successes: number };

export type BreakerState = State["kind"];

export type BreakerChange = { readonly from: BreakerState; readonly to: BreakerState };

/** What is known of it, as plain values: threads share it. */
export type BreakerMemory = {
  state: State;
  /** Outcomes of requests from before the last change of state say nothing of this one. */
  generation: number;
};

export function closedBreaker({ intervalMs }: BreakerConfig, clock: Clock): BreakerMemory {
  return { state: closed(clock.monotonicMs(), intervalMs), generation: 0 };
}

/** Of a thread that is no more: its probes have shown nothing. */
export function abandonBreakerProbes({ state }: BreakerMemory, member: number): void {
  if (state.kind === "half_open") state.underWay[member] = 0;
}

export type BreakerDeps = {
  readonly config: BreakerConfig;
  readonly clock: Clock;
  readonly note: Note<BreakerMemory>;
  /** Which of the threads that share the note this is. */
  readonly member: number;
  readonly onChange: (change: BreakerChange) => void;
};

export class CircuitBreaker {
  readonly #config: BreakerConfig;
  readonly #clock: Clock;
  readonly #onChange: (change: BreakerChange) => void;
  readonly #note: Note<BreakerMemory>;
  readonly #member: number;

  constructor({ config, clock, note, member, onChange }: BreakerDeps) {
    this.#config = config;
    this.#clock = clock;
    this.#note = note;
    this.#member = member;
    this.#onChange = onChange;
  }

  /** Whether there is nothing worth remembering. */
  get isIdle(): boolean {
    const { state } = this.#note.read();
    return state.kind === "closed" && state.failures === 0;
  }

  admit(): BreakerVerdict {
    const { state, generation } = this.#note.read();
    if (state.kind === "closed") return { kind: "admitted", ticket: { generation } };
    const waitMs = state.kind === "open" ? state.untilMs - this.#clock.monotonicMs() : 0;
    if (waitMs > 0) return { kind: "rejected", retryInMs: waitMs };
    return this.#change((memory) => this.#admitProbe(memory));
  }

  get state(): BreakerState {
    return this.#note.read().state.kind;
  }

  /** What it did with this: null, if it goes on as it was. */
  report(ticket: BreakerTicket, outcome: BreakerOutcome): Reported {
    const { state, generation } = this.#note.read();
    if (ticket.generation !== generation) return null;
    if (state.kind === "closed") {
      const isNews = outcome !== "success" || state.failures > 0;
      const isWindowOver = this.#clock.monotonicMs() >= state.countsUntilMs;
      if (outcome === "neutral" || (!isNews && !isWindowOver)) return null;
    }
    return this.#change((memory) => {
      // Another thread may have come before this one.
      if (ticket.generation !== memory.generation) return null;
      return this.#take(memory, outcome);
    });
  }

  /** 0: it is not open. */
  get openForMs(): number {
    return this.#openForMs(this.#note.read().state);
  }

  /**
   * Another server's breaker of the same model opened for so long, or closed (null). Followed no longer than
   * this one would stay open, and never shortened by it. True if that changed something.
   */
  follow(openForMs: number | null): boolean {
    return this.#change((memory) => {
      const { kind } = memory.state;
      if (openForMs === null) {
        if (kind !== "closed") become(memory, this.#closed());
        return kind !== "closed";
      }
      const forMs = Math.min(openForMs, this.#config.openMs);
      if (forMs <= this.#openForMs(memory.state)) return false;
      become(memory, { kind: "open", untilMs: this.#clock.monotonicMs() + forMs });
      return kind !== "open";
    });
  }

  /** Null: closed. */
  health(endpoint: string, model: string): BreakerHealth | null {
    const { state } = this.#note.read();
    if (state.kind === "closed") return null;
    const now = this.#clock.now();
    const retriesAt = new Date(now.getTime() + this.#openForMs(state));
    return { endpoint, model, state: state.kind, retriesAt };
  }

  forget(): void {
    this.#note.forget();
  }

  #admitProbe(memory: BreakerMemory): BreakerVerdict {
    const nowMs = this.#clock.monotonicMs();
    if (memory.state.kind === "open" && nowMs >= memory.state.untilMs) {
      become(memory, { kind: "half_open", underWay: [], successes: 0 });
    }
    const { state } = memory;
    if (state.kind === "open") return { kind: "rejected", retryInMs: state.untilMs - nowMs };
    if (state.kind === "half_open") {
      // The probes under way will tell soon.
      if (probesOf(state) + state.successes >= this.#config.probesMax) {
        return { kind: "rejected", retryInMs: 0 };
      }
      this.#countProbe(state, 1);
    }
    return { kind: "admitted", ticket: { generation: memory.generation } };
  }

  #take(memory: BreakerMemory, outcome: BreakerOutcome): Reported {
    const { state } = memory;
    if (state.kind === "half_open") return this.#takeProbe(memory, state, outcome);
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
    this.#open(memory);
    return "opened";
  }

  #takeProbe(memory: BreakerMemory, state: HalfOpen, outcome: BreakerOutcome): Reported {
    this.#countProbe(state, -1);
    if (outcome === "failure") {
      this.#open(memory);
      return "opened";
    }
    if (outcome === "success") state.successes += 1;
    if (state.successes < this.#config.probesMax) return null;
    become(memory, this.#closed());
    return "closed";
  }

  #openForMs(state: State): number {
    return state.kind === "open" ? Math.max(0, state.untilMs - this.#clock.monotonicMs()) : 0;
  }

  #closed(): State {
    return closed(this.#clock.monotonicMs(), this.#config.intervalMs);
  }

  #countProbe(state: HalfOpen, by: number): void {
    state.underWay[this.#member] = (state.underWay[this.#member] ?? 0) + by;
  }

  #open(memory: BreakerMemory): void {
    become(memory, { kind: "open", untilMs: this.#clock.monotonicMs() + this.#config.openMs });
  }

  /** Tells of a change of state only once the note is written. */
  #change<Outcome>(work: (memory: BreakerMemory) => Outcome): Outcome {
    const { from, to, outcome } = this.#note.change((memory) => {
      const before = memory.state.kind;
      const worked = work(memory);
      return { from: before, to: memory.state.kind, outcome: worked };
    });
    if (from !== to) this.#onChange({ from, to });
    return outcome;
  }
}

type HalfOpen = Extract<State, { kind: "half_open" }>;

function probesOf({ underWay }: HalfOpen): number {
  return underWay.reduce((sum, each) => sum + each, 0);
}

function closed(nowMs: number, intervalMs: number): State {
  return { kind: "closed", failures: 0, countsUntilMs: nowMs + intervalMs };
}

function become(memory: BreakerMemory, state: State): void {
  memory.state = state;
  memory.generation += 1;
}

/** The statuses that tell of a provider in trouble; 529 is Anthropic's word for overloaded. */
const FAILURE_STATUSES: ReadonlySet<number> = new Set([429, 503, 504, 529]);

export function outcomeOfStatus(status: number): BreakerOutcome {
  return FAILURE_STATUSES.has(status) ? "failure" : "success";
}
