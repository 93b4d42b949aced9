/** What people may spend on agents, and did, for people. */
import type { CallAnswer } from "@atelier/contract/client";
import type {
  ChatUsageLimitOverride,
  getChatCostSummary,
  getChatUsageLimits,
  getChatUsageLimitStatus,
  listChatCosts,
  SpendingPeriod,
} from "@atelier/contract/http/chat-spending";
import { money } from "./money.ts";
import { compactNumber, faint, fields, heading, table, type Cell, type Look } from "./people.ts";
import { dollars } from "./prices.ts";

const PERIODS: Readonly<Record<SpendingPeriod, string>> = {
  day: "a day",
  week: "a week",
  month: "a month",
};

export function limitsText(
  look: Look,
  limits: CallAnswer<typeof getChatUsageLimits>,
  overrides: readonly ChatUsageLimitOverride[] | null,
): string {
  const { enabled, default_limit_micros: micros, period, costs_recorded: isRecorded } = limits;
  const lines = [
    enabled ? `Everybody: ${dollars(micros)} ${PERIODS[period]}.` : "Nobody is limited.",
  ];
  if (enabled && !isRecorded) {
    lines.push("No limit holds: chats ask models past the gateway, and nothing is recorded.");
  }
  if (overrides !== null && overrides.length > 0) {
    lines.push("", overridesTable(look, overrides));
    if (!enabled) lines.push("", "These count once limits are on: atelier chat-limits set");
  }
  return lines.join("\n");
}

function overridesTable(look: Look, overrides: readonly ChatUsageLimitOverride[]): string {
  return table(
    look,
    [{ title: "USER" }, { title: "LIMIT", align: "right" }],
    overrides.map(({ user, spend_limit_micros: micros }) => [user.username, dollars(micros)]),
  );
}

/** Midnight of UTC, as all periods end. */
export function statusText(look: Look, status: CallAnswer<typeof getChatUsageLimitStatus>): string {
  const { spent_micros: spent, limit_micros: limit, resets_at: resetsAt } = status;
  const unpriced = status.unpriced_request_count;
  const isReached = limit !== null && spent >= limit;
  const pairs: [string, Cell][] = [
    ["Spent", isReached ? { text: money(spent), tone: "bad" } : money(spent)],
    ["Limit", limit === null ? faint("none") : `${dollars(limit)} ${PERIODS[status.period]}`],
    ["Since", `${status.from.slice(0, 10)} 00:00 UTC`],
    ["Resets", `${resetsAt.slice(0, 10)} 00:00 UTC`],
  ];
  if (unpriced > 0) pairs.push(["Without a known price", `${unpriced} requests`]);
  return fields(look, pairs);
}

type Costs = {
  readonly total_cost_micros: number | null;
  readonly request_count: number;
  readonly unpriced_request_count: number;
};

const COST_COLUMNS = ["REQUESTS", "COST", "UNPRICED"].map((title) => ({
  title,
  align: "right" as const,
}));

export function peoplesCostsText(
  look: Look,
  { users, start_date: from, end_date: to }: CallAnswer<typeof listChatCosts>,
): string {
  if (users.length === 0) return `Agents cost nothing from ${from} to ${to}.`;
  const rows = users.map(({ user, ...cost }) => [user.username || user.id, ...costCells(cost)]);
  return table(look, [{ title: "USER" }, ...COST_COLUMNS], rows);
}

export function costSummaryText(
  look: Look,
  summary: CallAnswer<typeof getChatCostSummary>,
): string {
  const { by_model: models, by_chat: chats, start_date: from, end_date: to } = summary;
  if (summary.request_count === 0) return `Agents cost nothing from ${from} to ${to}.`;
  const byModel = table(
    look,
    [{ title: "MODEL" }, { title: "PROVIDER" }, ...COST_COLUMNS],
    [
      ...models.map(({ model, provider, ...cost }) => [model, provider, ...costCells(cost)]),
      ["Total", "", ...costCells(summary)],
    ],
  );
  if (chats.length === 0) return byModel;
  const byChat = table(
    look,
    [{ title: "CHAT", isWhole: true }, { title: "TITLE" }, ...COST_COLUMNS],
    chats.map(({ chat_id: id, title = "", ...cost }) => [id, title, ...costCells(cost)]),
  );
  return [byModel, "", heading(look, "By chat"), byChat].join("\n");
}

function costCells({
  total_cost_micros: micros,
  request_count: requests,
  unpriced_request_count: unpriced,
}: Costs): Cell[] {
  return [
    compactNumber(requests),
    micros === null ? faint(money(micros)) : money(micros),
    unpriced === 0 ? "0" : { text: compactNumber(unpriced), tone: "bad" },
  ];
}
