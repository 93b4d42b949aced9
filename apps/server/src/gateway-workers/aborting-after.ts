/** Runs work with a signal that aborts after a while. */
import type { Clock } from "@atelier/base/clock";

export async function abortingAfter(
  clock: Clock,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const late = new AbortController();
  const timer = new AbortController();
  const timed = clock.sleep(timeoutMs, timer.signal).then(
    () => late.abort(new Error("shutdown-timeout")),
    () => {}, // The work was done in time.
  );
  try {
    await work(late.signal);
  } finally {
    timer.abort(new Error("done"));
    await timed;
  }
}
