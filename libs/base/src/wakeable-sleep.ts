/** A sleep that ends early when somebody has something for the sleeper. One at a time. */
import type { Clock } from "./clock.ts";

/** Made once: with each comes a trace of the stack. */
const WOKEN = new Error("the sleeper was woken");

export class WakeableSleep {
  readonly #clock: Clock;
  #woken: AbortController | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after `ms`, or when woken. Rejects with the signal's reason when aborted first. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#woken = woken;
    try {
      await this.#clock.sleep(ms, AbortSignal.any([signal, woken.signal]));
    } catch (error) {
      if (error !== WOKEN) throw error;
    } finally {
      this.#woken = null;
    }
  }

  /** Nothing where nobody sleeps: who is about to looks first whether there is something. */
  wake(): void {
    this.#woken?.abort(WOKEN);
  }
}
