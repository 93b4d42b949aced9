/** Dials a connection that broke again: later each time, until it is reached or nobody wants it any more. */
import type { Clock } from "@atelier/base/clock";

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;

export class Redial {
  readonly #clock: Clock;
  readonly #dial: () => void;
  readonly #stop = new AbortController();
  #failures = 0;

  constructor(clock: Clock, dial: () => void) {
    this.#clock = clock;
    this.#dial = dial;
  }

  /** What sockets tell from then on is nobody's. */
  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  stop(): void {
    this.#stop.abort(new Error("left"));
  }

  /** The next wait is a short one again. */
  reached(): void {
    this.#failures = 0;
  }

  /** Dials later. Gives in how many milliseconds. */
  again(): number {
    const retryInMs = Math.min(RETRY_MS_MIN * 2 ** this.#failures, RETRY_MS_MAX);
    this.#failures += 1;
    this.#clock.sleep(retryInMs, this.#stop.signal).then(
      () => this.#dial(),
      () => {}, // Left meanwhile.
    );
    return retryInMs;
  }
}
