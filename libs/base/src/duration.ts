/** Durations as people write them: `500ms`, `90s`, `15m`, `1h30m`, `7d`. Milliseconds in code. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds, or null when the text is not a duration. A bare `0` is allowed, other bare numbers are not. */
export function parseDurationMs(text: string): number | null {
  if (text === "0") return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return null;
  let totalMs = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
  }
  return Number.isSafeInteger(Math.round(totalMs)) ? Math.round(totalMs) : null;
}

/** The shortest exact spelling: `90_000` is `1m30s`. */
export function formatDurationMs(durationMs: number): string {
  if (durationMs === 0) return "0";
  let restMs = durationMs;
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const unitMs = UNIT_MS[unit] ?? 1;
    const amount = Math.floor(restMs / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    restMs -= amount * unitMs;
  }
  return text;
}
