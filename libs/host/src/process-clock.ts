/**
 * A clock whose monotonic time is the same in every thread of the process: what one thread writes down,
 * another can compare. The system clock's begins with its thread.
 */
import type { Clock } from "@atelier/base/clock";
import { systemClock } from "@atelier/base/system-clock";
import { hrtime } from "node:process";

const hrtimeMs = (): number => {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
};

/** From when this thread's own time counts. Looked at once: its own time is cheaper to read. */
const threadBeganMs = hrtimeMs() - systemClock.monotonicMs();

export const processClock: Clock = {
  ...systemClock,
  monotonicMs: () => threadBeganMs + systemClock.monotonicMs(),
};
