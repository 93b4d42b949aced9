/** What agents may cost, between the texts of forms, in dollars, and the endpoints' micro-dollars; and in words. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ApiProblem, CallAnswer, CallInput } from "@atelier/contract/client";
import {
  SPENDING_PERIODS,
  type ChatUsageLimits,
  type getChatUsageLimitStatus,
  type putChatUsageLimits,
  type SpendingPeriod,
} from "@atelier/contract/http/chat-spending";
import { problemOfFields } from "../forms/field-problems.ts";
import { dollarsOfMicros, microsOfDollars, moneyText, priceText } from "../usage/money-text.ts";

export const PERIOD_CHOICES = SPENDING_PERIODS.map((value) => ({
  value,
  label: periodTitle(value),
}));

function periodTitle(period: SpendingPeriod): string {
  return { day: "A day", week: "A week, from Monday", month: "A month" }[period];
}

const THIS: Readonly<Record<SpendingPeriod, string>> = {
  day: "today",
  week: "this week",
  month: "this month",
};

export function textsOfLimits(limits: ChatUsageLimits) {
  return {
    enabled: String(limits.enabled),
    // What nobody chose is no proposal: with 0 nobody sends anything.
    default_limit_micros:
      limits.enabled || limits.default_limit_micros > 0
        ? dollarsOfMicros(limits.default_limit_micros)
        : "",
    period: limits.period,
  };
}

type LimitsBody = CallInput<typeof putChatUsageLimits>["body"];

export function limitsBody(
  texts: Readonly<Record<keyof ReturnType<typeof textsOfLimits>, string>>,
): Result<LimitsBody, ApiProblem> {
  const enabled = texts.enabled === "true";
  const typed = texts.default_limit_micros;
  const micros = typed.trim() === "" && !enabled ? 0 : microsOfDollars(typed);
  const period = SPENDING_PERIODS.find((each) => each === texts.period);
  if (micros === null || period === undefined) {
    return fail(problemOfFields([{ field: "default_limit_micros", detail: NO_AMOUNT }]));
  }
  return ok({ enabled, default_limit_micros: micros, period });
}

export const NO_AMOUNT = "Dollars, as 50 or 2.5.";

type Status = CallAnswer<typeof getChatUsageLimitStatus>;

/** $3.20 of $50 this month. */
export function spentText({ spent_micros: spent, limit_micros: limit, period }: Status): string {
  const of = limit === null ? "" : ` of ${priceText(limit)}`;
  return `${moneyText(spent)}${of} ${THIS[period]}`;
}

/** Null: there is no limit to come near to. */
export function spentPercent({ spent_micros: spent, limit_micros: limit }: Status): number | null {
  if (limit === null) return null;
  return limit === 0 ? 100 : Math.min(100, Math.floor((spent / limit) * 100));
}

/** When it begins at nothing again, where the reader is. */
export function resetText({ resets_at: resetsAt }: Status): string {
  return new Date(resetsAt).toLocaleString("en-GB", {
    day: "numeric",
    month: "long",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** From here on one is warned. */
const NOTICE_PERCENT = 80;

/** Empty: there is enough, or no limit. */
export function noticeText(status: Status): string {
  const percent = spentPercent(status);
  if (percent === null || percent < NOTICE_PERCENT) return "";
  const spent = `Your agents have cost ${spentText(status)}.`;
  return percent >= 100
    ? `${spent} They take no messages until ${resetText(status)}.`
    : `${spent} When it is spent, they take no messages until ${resetText(status)}.`;
}

/** Empty: all of it has a price. */
export function unpricedText({ unpriced_request_count: count }: Status): string {
  if (count === 0) return "";
  return `${count} ${count === 1 ? "request" : "requests"} without a known price ${count === 1 ? "is" : "are"} not in it.`;
}
