/** Which days are looked at: a length that ends today, or two days that were chosen. */

export const USAGE_PERIODS = [
  { value: "7d", label: "Last 7 days", days: 7 },
  { value: "30d", label: "Last 30 days", days: 30 },
  { value: "90d", label: "Last 90 days", days: 90 },
  { value: "365d", label: "Last 12 months", days: 365 },
  { value: "chosen", label: "Chosen days", days: null },
] as const;

export const USAGE_PERIOD_DEFAULT = "30d";

export type DaySpan = { readonly from: string; readonly to: string };

/** Days are written as 2026-11-21. What is chosen wrongly is as if nothing had been chosen. */
export function spanOf(
  chosen: {
    readonly period?: string | undefined;
    readonly from?: string | undefined;
    readonly to?: string | undefined;
  },
  today: string,
): DaySpan {
  const period = USAGE_PERIODS.find(({ value }) => value === chosen.period);
  if (period !== undefined && period.days === null) {
    const to = isDay(chosen.to) ? chosen.to : today;
    const from = isDay(chosen.from) ? chosen.from : dayBefore(to, 29);
    return from <= to ? { from, to } : { from: to, to: from };
  }
  return { from: dayBefore(today, (period?.days ?? 30) - 1), to: today };
}

/** The day that it is where the person is. */
export function dayOf(time: Date, timeZone: string): string {
  // The Swedish way of writing a date is the international one.
  return new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).format(time);
}

export function daysOf({ from, to }: DaySpan): readonly string[] {
  const days: string[] = [];
  for (let day = from; day <= to && days.length < DAYS_MAX; day = dayBefore(day, -1)) {
    days.push(day);
  }
  return days;
}

/** As many as the server sums up. */
const DAYS_MAX = 366;
const DAY_MS = 86_400_000;

function dayBefore(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - count * DAY_MS).toISOString().slice(0, 10);
}

function isDay(text: string | undefined): text is string {
  return (
    text !== undefined &&
    /^\d{4}-\d\d-\d\d$/.test(text) &&
    !Number.isNaN(Date.parse(`${text}T00:00:00Z`))
  );
}
