/** How long ago, or how long until, in few words. */

const STEPS = [
  { unit: "year", ms: 31_557_600_000 },
  { unit: "month", ms: 2_629_800_000 },
  { unit: "day", ms: 86_400_000 },
  { unit: "hour", ms: 3_600_000 },
  { unit: "minute", ms: 60_000 },
  { unit: "second", ms: 1_000 },
] as const;

/** Clocks of people and servers differ by some seconds. */
const NOW_MS = 5_000;

export function relativeTimeText(time: Date, now: Date): string {
  const distanceMs = time.getTime() - now.getTime();
  if (Math.abs(distanceMs) < NOW_MS) return "just now";
  const lengthMs = Math.abs(distanceMs);
  const step = STEPS.find(({ ms }) => lengthMs >= ms) ?? STEPS[5];
  const count = Math.floor(lengthMs / step.ms);
  const words = `${count} ${step.unit}${count === 1 ? "" : "s"}`;
  return distanceMs < 0 ? `${words} ago` : `in ${words}`;
}

/** A length of time as a table shows it: `320 ms`, `4.2 s`, `3 min 10 s`, `2 h 5 min`. */
export function durationText(lengthMs: number): string {
  if (lengthMs < 1_000) return `${Math.round(lengthMs)} ms`;
  if (lengthMs < 60_000) return `${(lengthMs / 1_000).toFixed(1)} s`;
  const seconds = Math.round(lengthMs / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
