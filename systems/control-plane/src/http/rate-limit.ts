/**
 * How many requests a user or an address may make: a token bucket each, held in memory. Each
 * replica counts for itself. Of too many callers the least recent are forgotten, to their favour.
 */
import type { Clock } from "@atelier/base/clock";
import { LRUCache } from "lru-cache";

const CALLERS_MAX = 50_000;
const MINUTE_MS = 60_000;

export class RateLimit {
  readonly #clock: Clock;
  readonly #perMinute: number;
  readonly #buckets = new LRUCache<string, { tokens: number; filledMs: number }>({
    max: CALLERS_MAX,
  });

  /** `perMinute` requests may come at once, and as many each minute. 0: no limit. */
  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** Takes one request. Null: go on. Else the seconds to wait. */
  take(caller: string): number | null {
    if (this.#perMinute === 0) return null;
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(caller) ?? { tokens: this.#perMinute, filledMs: nowMs };
    const gained = ((nowMs - bucket.filledMs) * this.#perMinute) / MINUTE_MS;
    const tokens = Math.min(this.#perMinute, bucket.tokens + gained);
    const isAllowed = tokens >= 1;
    this.#buckets.set(caller, { tokens: isAllowed ? tokens - 1 : tokens, filledMs: nowMs });
    return isAllowed ? null : Math.ceil(((1 - tokens) * MINUTE_MS) / this.#perMinute / 1_000);
  }
}
