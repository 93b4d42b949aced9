/** Times as people say them: `3m ago`, `in 6d`. Programs get ISO 8601 from `--json`. */
const STEPS: readonly (readonly [unit: string, seconds: number])[] = [
  ["y", 31_536_000],
  ["mo", 2_592_000],
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
];

export function relativeTime(isoTime: string, now: Date): string {
  const seconds = Math.round((Date.parse(isoTime) - now.getTime()) / 1_000);
  const distance = Math.abs(seconds);
  // Clocks differ by some seconds between the server and here.
  if (distance < 10) return "just now";
  const [unit, size] = STEPS.find(([, stepSeconds]) => distance >= stepSeconds) ?? ["s", 1];
  const amount = `${Math.floor(distance / size)}${unit}`;
  return seconds < 0 ? `${amount} ago` : `in ${amount}`;
}
