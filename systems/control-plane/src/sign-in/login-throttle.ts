/**
 * Slows down whoever guesses passwords. Pure: the clock says when.
 *
 * Three counts: attempts per address and minute; failures per address and email, whose waits grow to
 * a quarter of an hour; and failures per email from anywhere, whose waits stay short, because else a
 * stranger could lock somebody out. Held in memory, so each replica counts for itself: with N
 * replicas an attacker gets at most N times the attempts. An attempt counts as failed from its
 * beginning, so that a thousand at once are a thousand.
 */
import type { Clock } from "@atelier/base/clock";
import { LRUCache } from "lru-cache";

export const ATTEMPTS_PER_MINUTE_MAX = 60;
const MINUTE_MS = 60_000;
const ENTRIES_MAX = 50_000;
/** Failures are forgotten after this long without another. */
const MEMORY_MS = 3_600_000;

type Rule = { readonly freeFailures: number; readonly waitMsMax: number };
const PER_ADDRESS_AND_EMAIL: Rule = { freeFailures: 5, waitMsMax: 900_000 };
const PER_EMAIL: Rule = { freeFailures: 20, waitMsMax: 30_000 };
const WAIT_MS_FIRST = 1_000;

type Failures = { count: number; lastMs: number; waitUntilMs: number };
type Minute = { startedMs: number; attempts: number };

export type LoginAttempt = { readonly ip: string; readonly email: string };

export class LoginThrottle {
  readonly #clock: Clock;
  readonly #failures = new LRUCache<string, Failures>({ max: ENTRIES_MAX });
  readonly #minutes = new LRUCache<string, Minute>({ max: ENTRIES_MAX });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Null: go on, and call succeeded() if it was right. Else the seconds to wait. */
  begin(attempt: LoginAttempt): number | null {
    const nowMs = this.#clock.monotonicMs();
    const rules = rulesOf(attempt);
    const waitsMs = rules.map(([key]) => (this.#recent(key, nowMs)?.waitUntilMs ?? 0) - nowMs);
    const waitMs = Math.max(this.#minuteWaitMs(attempt.ip, nowMs), ...waitsMs);
    if (waitMs > 0) return Math.ceil(waitMs / 1_000);
    for (const [key, rule] of rules) this.#countFailure(key, rule, nowMs);
    return null;
  }

  /** The password was right: its owner starts afresh, from here and everywhere. */
  succeeded(attempt: LoginAttempt): void {
    for (const [key] of rulesOf(attempt)) this.#failures.delete(key);
  }

  #recent(key: string, nowMs: number): Failures | undefined {
    const failures = this.#failures.get(key);
    return failures !== undefined && nowMs - failures.lastMs < MEMORY_MS ? failures : undefined;
  }

  #countFailure(key: string, rule: Rule, nowMs: number): void {
    const count = (this.#recent(key, nowMs)?.count ?? 0) + 1;
    const beyond = count - rule.freeFailures;
    const waitMs = beyond < 0 ? 0 : Math.min(rule.waitMsMax, WAIT_MS_FIRST * 2 ** beyond);
    this.#failures.set(key, { count, lastMs: nowMs, waitUntilMs: nowMs + waitMs });
  }

  #minuteWaitMs(ip: string, nowMs: number): number {
    const last = this.#minutes.get(ip);
    const isOver = last === undefined || nowMs - last.startedMs >= MINUTE_MS;
    const minute = isOver ? { startedMs: nowMs, attempts: 0 } : last;
    if (minute.attempts >= ATTEMPTS_PER_MINUTE_MAX) return minute.startedMs + MINUTE_MS - nowMs;
    this.#minutes.set(ip, { ...minute, attempts: minute.attempts + 1 });
    return 0;
  }
}

function rulesOf({ ip, email }: LoginAttempt): readonly (readonly [string, Rule])[] {
  const name = email.toLowerCase();
  return [
    [`${ip} ${name}`, PER_ADDRESS_AND_EMAIL],
    [`* ${name}`, PER_EMAIL],
  ];
}
