/** The host's clock. The one file that reads the host's time and sets its timers. */
import type { Clock } from "./clock.ts";

/** Longer timers overflow: the host then fires them at once (2^31 - 1 ms, about 25 days). */
const TIMER_MS_MAX = 2_147_483_647;

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener("abort", abort);
          resolve();
        },
        Math.min(Math.max(0, delayMs), TIMER_MS_MAX),
      );
      signal.addEventListener("abort", abort, { once: true });
    }),
};
