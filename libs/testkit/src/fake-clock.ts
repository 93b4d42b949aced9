/** Time for tests: it stands still until a test moves it. */
import type { Clock } from "@atelier/base/clock";

type Sleeper = { readonly wakesAtMs: number; readonly wake: () => void };

/** A clock that moves only when told to. Starts at 2026-01-01T00:00:00Z. */
export class FakeClock implements Clock {
  readonly #startMs = Date.UTC(2026, 0, 1);
  #elapsedMs = 0;
  #sleepers: Sleeper[] = [];
  readonly #watchers = new Set<() => void>();

  now(): Date {
    return new Date(this.#startMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  async sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const sleeper = { wakesAtMs: this.#elapsedMs + delayMs, wake: resolve };
      this.#sleepers.push(sleeper);
      const abort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", abort, { once: true });
      for (const watch of this.#watchers) watch();
    });
  }

  /** Resolves when so many sleep. Time that moves before wakes nobody who lies down after. */
  async untilSleeping(count = 1): Promise<void> {
    while (this.#sleepers.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.add(resolve);
      await promise;
      this.#watchers.delete(resolve);
    }
  }

  /** Moves time forward, waking sleepers in order and letting each run before the next wakes. */
  async advance(byMs: number): Promise<void> {
    const targetMs = this.#elapsedMs + byMs;
    for (;;) {
      const next = this.#sleepers.toSorted((a, b) => a.wakesAtMs - b.wakesAtMs)[0];
      if (next === undefined || targetMs < next.wakesAtMs) break;
      this.#elapsedMs = next.wakesAtMs;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      next.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#elapsedMs = targetMs;
  }

  /**
   * Moves time forward at once, as it seems after a machine has slept: whoever's time has come wakes
   * once, in order, when all of it has passed. For hours past servers that look around every second.
   */
  async leap(byMs: number): Promise<void> {
    this.#elapsedMs += byMs;
    const due = this.#sleepers
      .filter(({ wakesAtMs }) => wakesAtMs <= this.#elapsedMs)
      .toSorted((a, b) => a.wakesAtMs - b.wakesAtMs);
    for (const sleeper of due) {
      // Another, which has woken before it, may have ended its sleep.
      if (!this.#sleepers.includes(sleeper)) continue;
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      sleeper.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
