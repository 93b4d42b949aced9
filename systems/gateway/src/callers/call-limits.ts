/**
 * How much at once and how often: requests under way in this process, and requests per second of
 * one API key (spec gateway 3.3). Zero means no limit.
 */
import type { Clock } from "@atelier/base/clock";

export type CallLimits = {
  readonly concurrencyMax: number;
  readonly ratePerSecondMax: number;
};

export type LimitVerdict = "admitted" | "too_many_at_once" | "too_many_per_second";

/** Windows of keys that were quiet for longer than a second are forgotten past this many. */
const WINDOWS_MAX = 10_000;

export class CallLimiter {
  readonly #limits: CallLimits;
  readonly #clock: Clock;
  readonly #windows = new Map<string, { startedMs: number; calls: number }>();
  #underWay = 0;

  constructor(limits: CallLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Admitted calls must be released exactly once. */
  admit(apiKeyId: string): LimitVerdict {
    const { concurrencyMax, ratePerSecondMax } = this.#limits;
    if (concurrencyMax !== 0 && this.#underWay >= concurrencyMax) return "too_many_at_once";
    if (ratePerSecondMax !== 0 && !this.#countCall(apiKeyId)) return "too_many_per_second";
    this.#underWay += 1;
    return "admitted";
  }

  release(): void {
    this.#underWay -= 1;
  }

  #countCall(apiKeyId: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const window = this.#windows.get(apiKeyId);
    if (window === undefined || nowMs - window.startedMs >= 1_000) {
      if (this.#windows.size >= WINDOWS_MAX) this.#forgetQuiet(nowMs);
      this.#windows.set(apiKeyId, { startedMs: nowMs, calls: 1 });
      return true;
    }
    if (window.calls >= this.#limits.ratePerSecondMax) return false;
    window.calls += 1;
    return true;
  }

  #forgetQuiet(nowMs: number): void {
    for (const [id, window] of this.#windows) {
      if (nowMs - window.startedMs >= 1_000) this.#windows.delete(id);
    }
  }
}
