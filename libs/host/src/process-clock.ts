/**
 * A clock whose monotonic time is the same in every thread of the process: what one thread writes down,
 * another can compare. The system clock's begins with its thread.
 */
import type { Clock } from "@atelier/base/clock";
import { systemClock } from "@atelier/base/system-clock";
import { hrtime } from "node:process";

export const processClock: Clock = {
  ...systemClock,
  monotonicMs: () => {
    const [seconds, nanoseconds] = hrtime();
    return seconds * 1_000 + nanoseconds / 1_000_000;
  },
};
