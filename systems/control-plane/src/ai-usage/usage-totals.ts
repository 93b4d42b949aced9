/** Sums of usage, and the span of days that is asked for. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Validation } from "@atelier/contract/failures";
import { USAGE_DAYS_MAX } from "@atelier/contract/http/ai-costs";
import type { CostSums, TokenSums, UsageUser } from "./usage.ts";

export type UsageTotals = CostSums & {
  readonly requests: number;
  readonly errors: number;
  readonly tokens: TokenSums;
};

/** What it is grouped by is set; the rest is null. */
export type UsageGroup = UsageTotals & {
  readonly day: string | null;
  readonly user: UsageUser | null;
  readonly model: string | null;
  readonly client: string | null;
  readonly provider: string | null;
};

/** Days as people write them, both included, in a time zone. */
export type DaySpan = { readonly from: string; readonly to: string; readonly timeZone: string };

const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;

export function spanOf(
  asked: {
    readonly from: string | undefined;
    readonly to: string | undefined;
    readonly timeZone: string;
  },
  now: Date,
): Result<DaySpan, readonly Validation[]> {
  const { timeZone } = asked;
  const to = asked.to ?? dayIn(timeZone, now);
  const from = asked.from ?? addDays(to, 1 - DEFAULT_DAYS);
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  if (days < 1) return fail([{ field: "from", detail: "It is after `to`." }]);
  if (days > USAGE_DAYS_MAX) {
    return fail([{ field: "from", detail: `At most ${USAGE_DAYS_MAX} days are summed up.` }]);
  }
  return ok({ from, to, timeZone });
}

/** As ISO 8601. */
function dayIn(timeZone: string, time: Date): string {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(time);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? "";
  return `${part("year").padStart(4, "0")}-${part("month")}-${part("day")}`;
}

function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}
