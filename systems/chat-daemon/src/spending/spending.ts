/** What a person may spend on chats in a period: which period it is, which limit holds, and whether it is reached. */
import type { SpendingPeriod } from "@atelier/contract/http/chat-spending";

export type UsageLimits = {
  readonly isEnabled: boolean;
  /** Of everybody without a limit of their own. */
  readonly defaultLimitMicros: number;
  readonly period: SpendingPeriod;
};

/** Where nobody decided. */
export const NO_LIMITS: UsageLimits = { isEnabled: false, defaultLimitMicros: 0, period: "month" };

/** What holds for one person. */
export type PersonsLimit = {
  /** Null: none. */
  readonly limitMicros: number | null;
  readonly period: SpendingPeriod;
};

export type PeriodSpan = {
  readonly from: Date;
  /** When the next one begins. */
  readonly to: Date;
};

/** Of UTC; a week begins on Monday. */
export function periodAt(period: SpendingPeriod, now: Date): PeriodSpan {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  const at = (inMonth: number, onDay: number): Date => new Date(Date.UTC(year, inMonth, onDay));
  switch (period) {
    case "day":
      return { from: at(month, day), to: at(month, day + 1) };
    case "week": {
      const monday = day - ((now.getUTCDay() + 6) % 7);
      return { from: at(month, monday), to: at(month, monday + 7) };
    }
    case "month":
      return { from: at(month, 1), to: at(month + 1, 1) };
  }
}

/** A person's own limit goes before everybody's. */
export function limitOf(limits: UsageLimits, ownLimitMicros: number | null): PersonsLimit {
  const { isEnabled, defaultLimitMicros, period } = limits;
  return { period, limitMicros: isEnabled ? (ownLimitMicros ?? defaultLimitMicros) : null };
}

/** Who has spent it to the last micro-dollar begins nothing more. */
export function isLimitReached(
  limitMicros: number | null,
  spentMicros: number,
): limitMicros is number {
  return limitMicros !== null && spentMicros >= limitMicros;
}

const WORDS: Readonly<Record<SpendingPeriod, string>> = {
  day: "today",
  week: "this week",
  month: "this month",
};

/** For whoever is refused. */
export function limitText(
  { limitMicros, period }: { readonly limitMicros: number; readonly period: SpendingPeriod },
  spentMicros: number,
  resetsAt: Date,
): string {
  const [day, time] = [resetsAt.toISOString().slice(0, 10), resetsAt.toISOString().slice(11, 16)];
  return (
    `Your agents have cost ${dollars(spentMicros)} ${WORDS[period]}, of ${dollars(limitMicros)}. ` +
    `From ${day} ${time} UTC on messages are taken again.`
  );
}

/** Cents; what is less than one has all its digits. */
function dollars(micros: number): string {
  const isSmall = micros > 0 && micros < 10_000;
  return `$${(micros / 1_000_000).toFixed(isSmall ? 6 : 2)}`;
}

const DAY_MS = 86_400_000;
export const COST_DAYS_DEFAULT = 30;

export type CostDays = { readonly startDate: string; readonly endDate: string };

/** Days of UTC, as asked for; what is not asked for makes 30 that end today. Null: none, or too many. */
export function costDays(
  asked: { readonly start: string | undefined; readonly end: string | undefined },
  now: Date,
  daysMax: number,
): (CostDays & PeriodSpan) | null {
  const endDate = asked.end ?? now.toISOString().slice(0, 10);
  const last = Date.parse(`${endDate}T00:00:00Z`);
  const first =
    asked.start === undefined
      ? last - (COST_DAYS_DEFAULT - 1) * DAY_MS
      : Date.parse(`${asked.start}T00:00:00Z`);
  if (first > last || last - first >= daysMax * DAY_MS) return null;
  const startDate = new Date(first).toISOString().slice(0, 10);
  return { startDate, endDate, from: new Date(first), to: new Date(last + DAY_MS) };
}
