/**
 * How much at once and how often: requests under way in this process, in all and of one person, and
 * requests per second of one API key (spec gateway 3.3). Zero means no limit.
 */
import type { Clock } from "@atelier/base/clock";
import type { Caller } from "@atelier/contract/rpc/gateway-ports";

export type CallLimits = {
  readonly concurrencyMax: number;
  readonly concurrencyPerUserMax: number;
  readonly ratePerSecondMax: number;
};

export type LimitVerdict =
  | "admitted"
  | "too_many_at_once"
  | "too_many_of_user"
  | "too_many_per_second";

export type LimitedCaller = Pick<Caller, "userId" | "apiKeyId">;

export interface CallAdmission {
  /** Calls that were admitted here and not released. */
  readonly underWay: number;
  /** Admitted calls must be released exactly once. */
  admit(caller: LimitedCaller): LimitVerdict;
  release(caller: LimitedCaller): void;
}

/** Windows of keys that were quiet for longer than a second are forgotten past this many. */
const WINDOWS_MAX = 10_000;

export class CallLimiter implements CallAdmission {
  readonly #limits: CallLimits;
  readonly #clock: Clock;
  readonly #windows = new Map<string, { startedMs: number; calls: number }>();
  readonly #underWayOf = new Map<string, number>();
  #underWay = 0;

  constructor(limits: CallLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get underWay(): number {
    return this.#underWay;
  }

  admit({ userId, apiKeyId }: LimitedCaller): LimitVerdict {
    const { concurrencyMax, concurrencyPerUserMax, ratePerSecondMax } = this.#limits;
    const ofUser = this.#underWayOf.get(userId) ?? 0;
    if (concurrencyMax !== 0 && this.#underWay >= concurrencyMax) return "too_many_at_once";
    if (concurrencyPerUserMax !== 0 && ofUser >= concurrencyPerUserMax) return "too_many_of_user";
    if (ratePerSecondMax !== 0 && !this.#countCall(apiKeyId)) return "too_many_per_second";
    this.#underWay += 1;
    this.#underWayOf.set(userId, ofUser + 1);
    return "admitted";
  }

  release({ userId }: LimitedCaller): void {
    this.#underWay -= 1;
    const ofUser = (this.#underWayOf.get(userId) ?? 0) - 1;
    if (ofUser > 0) this.#underWayOf.set(userId, ofUser);
    else this.#underWayOf.delete(userId);
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
