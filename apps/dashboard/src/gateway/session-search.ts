/** The filters of the list of sessions, as people choose them and as the server reads them. */

/** Facets that the server knows, in the order in which they are shown. */
export const SESSION_FACETS = ["initiator", "provider_name", "model", "client"] as const;

export const PERIODS = [
  { value: "", label: "Any time", ms: null },
  { value: "1h", label: "Last hour", ms: 3_600_000 },
  { value: "24h", label: "Last 24 hours", ms: 86_400_000 },
  { value: "7d", label: "Last 7 days", ms: 604_800_000 },
  { value: "30d", label: "Last 30 days", ms: 2_592_000_000 },
] as const;

/** A minute: a list whose question changed with every second would never be kept. */
const STEP_MS = 60_000;

/** The server's `q`. Undefined: nothing is chosen. */
export function sessionQuery(
  chosen: Readonly<Record<string, string | undefined>>,
  now: Date,
): string | undefined {
  const terms = SESSION_FACETS.flatMap((facet) => {
    const value = chosen[facet] ?? "";
    return value === "" ? [] : [`${facet}:${quotedTerm(value)}`];
  });
  const period = PERIODS.find(({ value }) => value !== "" && value === chosen["period"]);
  if (period !== undefined && period.ms !== null) {
    const since = Math.floor((now.getTime() - period.ms) / STEP_MS) * STEP_MS;
    terms.push(`started_after:${quotedTerm(new Date(since).toISOString())}`);
  }
  return terms.length === 0 ? undefined : terms.join(" ");
}

/** A value with more than letters, digits and hyphens stands in double quotes. */
export function quotedTerm(value: string): string {
  return /^[\w.-]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
