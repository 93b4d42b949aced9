/**
 * Faults in a row of one provider key: refused connections, silence, answers 5xx. They may be the
 * provider's and not the key's, so one alone is forgiven and a rest is short: it only keeps a dead key
 * from costing every request a wasted attempt. Each further fault doubles the rest, up to a minute.
 *
 * After its rest a key is on probation: one request at a time tries it, and the others go on without it
 * until that one is served. Of requests that were under way together only the first fault counts.
 */
const FAULT_REST_MS = 1_000;
const FAULT_REST_MS_MAX = 60_000;

export type KeyFault = {
  /** The provider said nothing until a time-out: that has cost its client far more than another fault. */
  readonly isSilence: boolean;
  /** Null: the provider did not say. */
  readonly retryAfterMs: number | null;
  /** When the attempt began, on the monotonic clock. */
  readonly beganAtMs: number;
};

/** Silence counts double: it is never forgiven. */
const FAULTS_FORGIVEN = 1;
/** 2 to the power of this is past the longest rest. */
const DOUBLINGS_MAX = 6;

/** What is known of a streak, as plain values: threads share it. */
export type FaultMemory = {
  count: number;
  countedAtMs: number;
  restsUntilMs: number;
  probedUntilMs: number;
  /** Which thread's request tries it. */
  probedBy: number;
  isSilence: boolean;
};

export function noFaults(): FaultMemory {
  return {
    count: 0,
    countedAtMs: -Infinity,
    restsUntilMs: -Infinity,
    probedUntilMs: -Infinity,
    probedBy: 0,
    isSilence: false,
  };
}

export class FaultStreak {
  readonly #memory: FaultMemory;

  constructor(memory: FaultMemory) {
    this.#memory = memory;
  }

  isOut(nowMs: number): boolean {
    return nowMs < this.#memory.restsUntilMs || nowMs < this.#memory.probedUntilMs;
  }

  add({ isSilence, retryAfterMs, beganAtMs }: KeyFault, nowMs: number): void {
    const memory = this.#memory;
    if (retryAfterMs !== null) this.#rest(nowMs + retryAfterMs);
    // What began before the last fault was known tells nothing that it has not told.
    if (beganAtMs < memory.countedAtMs) return;
    memory.count += isSilence ? 2 : 1;
    memory.countedAtMs = nowMs;
    memory.isSilence = isSilence;
    memory.probedUntilMs = -Infinity;
    if (memory.count > FAULTS_FORGIVEN) this.#rest(nowMs + faultRestMs(memory.count));
  }

  /** Whether the next try is one that the others wait for. */
  get isOnProbation(): boolean {
    return this.#memory.count > FAULTS_FORGIVEN;
  }

  /** True if this try is the one that the others wait for, for so long at most. */
  beginProbe(nowMs: number, msMax: number, member: number): boolean {
    if (!this.isOnProbation || this.isOut(nowMs)) return false;
    this.#memory.probedUntilMs = nowMs + msMax;
    this.#memory.probedBy = member;
    return true;
  }

  /** It was given up and has shown nothing. */
  endProbe(): void {
    this.#memory.probedUntilMs = -Infinity;
  }

  #rest(untilMs: number): void {
    this.#memory.restsUntilMs = Math.max(this.#memory.restsUntilMs, untilMs);
  }
}

function faultRestMs(count: number): number {
  const doublings = Math.min(count - FAULTS_FORGIVEN - 1, DOUBLINGS_MAX);
  return Math.min(FAULT_REST_MS * 2 ** doublings, FAULT_REST_MS_MAX);
}
