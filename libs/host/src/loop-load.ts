/**
 * Whether an event loop has more to do than time to do it. As long as it has time, what is ready goes out at once, and
 * nobody waits for others. Where it has none, doing like things together is what everybody gains by.
 */
import { performance } from "node:perf_hooks";

/** Of a loop since it began, in milliseconds. */
export type LoopTimes = { readonly idle: number; readonly active: number };

/** A turn or two. Over less than this a loop that does anything at all looks full. */
const LOOK_MS = 2;
const FULL_SHARE = 0.8;

export class LoopLoad {
  readonly #times: () => LoopTimes;
  #idleMs = 0;
  #activeMs = 0;
  #isFull = false;

  constructor(times: () => LoopTimes) {
    this.#times = times;
  }

  /** For whoever asks often: it is looked at anew every few milliseconds. */
  isFull(): boolean {
    const { idle, active } = this.#times();
    const activeMs = active - this.#activeMs;
    const passedMs = idle - this.#idleMs + activeMs;
    if (passedMs >= LOOK_MS) {
      this.#isFull = activeMs > FULL_SHARE * passedMs;
      this.#idleMs = idle;
      this.#activeMs = active;
    }
    return this.#isFull;
  }
}

/** Of the thread that this is loaded in. */
export const loopLoad = new LoopLoad(() => performance.eventLoopUtilization());
