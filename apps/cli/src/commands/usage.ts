/** `atelier usage`: tokens and money, summed up. */
import { fail, ok } from "@atelier/base/result";
import {
  getAiUsage,
  USAGE_DIMENSIONS,
  type UsageDimension,
  type UsageRow,
} from "@atelier/contract/http/ai-costs";
import { usageCsv } from "@atelier/contract/usage-csv";
import type { z } from "zod";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import {
  choicesOption,
  defineCommand,
  countOption,
  shown,
  switchOption,
  textOption,
} from "../command.ts";
import { money } from "../output/money.ts";
import { compactNumber, faint, orDash, table, type Cell, type Look } from "../output/people.ts";
import { searchQuery } from "../search-query.ts";

const ROWS_MAX = 10_000;
type Usage = z.output<typeof getAiUsage.success.body>;

export const usage = defineCommand({
  name: "usage",
  summary: "Sum up tokens and cost of AI use; without a wider role only your own",
  details:
    "Without --from the last 30 days. What has no known price is `unknown`, and is not in sums: " +
    "an administrator sets it with `atelier ai-prices set`.",
  examples: [
    "atelier usage",
    "atelier usage --by user --by model --from 2026-11-01 --to 2026-11-30",
    "atelier usage --by day --user me --csv > usage.csv",
  ],
  args: {},
  options: {
    by: choicesOption(
      "--by <what>",
      "a row for each; up to three (default: day)",
      USAGE_DIMENSIONS,
    ),
    from: textOption("--from <day>", "the first day, as 2026-11-01"),
    to: textOption("--to <day>", "the last day (default: today)"),
    timeZone: textOption(
      "--time-zone <zone>",
      "in which days begin (default: that of this machine)",
    ),
    user: textOption("--user <user>", "of this user, or `me`"),
    provider: textOption("--provider <name>", "through this model provider"),
    model: textOption("--model <model>", "with this model"),
    client: textOption("--client <client>", "from this client"),
    limit: countOption("-l, --limit <count>", "how many rows (default: 200)", ROWS_MAX),
    csv: switchOption("--csv", "as a table for spreadsheets, all rows"),
  },
  run: async (cli, { options }) => {
    const by: readonly UsageDimension[] = options.by.length === 0 ? ["day"] : options.by;
    if (by.length > 3 || new Set(by).size !== by.length) {
      return fail(usageFailure("Up to three different --by make sense.", "Leave some out."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const { provider: provider_name, user: initiator, model, client } = options;
    const answer = await api.value.call(getAiUsage, {
      query: {
        group_by: by.join(","),
        from: options.from,
        to: options.to,
        time_zone: options.timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
        q: searchQuery({ initiator, provider_name, model, client }),
        limit: options.csv ? ROWS_MAX : (options.limit ?? 200),
      },
    });
    if (!answer.ok) return answer;
    const { rows, count } = answer.value;
    const note =
      rows.length === count ? null : `Showing ${rows.length} of ${count}. More: --limit.`;
    const text = (): string =>
      options.csv ? usageCsv(rows, by).trimEnd() : usageTable(cli.look, answer.value);
    return ok(shown({ json: answer.value, text, note }));
  },
});

const TITLES: Readonly<Record<UsageDimension, string>> = {
  day: "DAY",
  user: "USER",
  model: "MODEL",
  client: "CLIENT",
  provider: "PROVIDER",
};

function usageTable(look: Look, { rows, total, group_by: by, from, to }: Usage): string {
  if (rows.length === 0) return `Nothing was used from ${from} to ${to}.`;
  const numbers = ["REQUESTS", "ERRORS", "INPUT", "CACHED", "OUTPUT", "COST", "UNPRICED"];
  const columns = [
    ...by.map((each) => ({ title: TITLES[each] })),
    ...numbers.map((title) => ({ title, align: "right" as const })),
  ];
  const sum: Cell[] = [...by.map((_, index) => (index === 0 ? "Total" : "")), ...cellsOf(total)];
  return table(look, columns, [
    ...rows.map((row) => [...by.map((each) => nameOf(row, each)), ...cellsOf(row)]),
    sum,
  ]);
}

function nameOf(row: UsageRow, dimension: UsageDimension): Cell {
  if (dimension !== "user") return orDash(row[dimension]);
  return row.user?.username || orDash(row.user?.id ?? null);
}

function cellsOf(sums: Usage["total"]): Cell[] {
  const { errors, unpriced_requests: unpriced, cost_micros: cost } = sums;
  return [
    compactNumber(sums.requests),
    errors === 0 ? "0" : { text: compactNumber(errors), tone: "bad" },
    compactNumber(sums.input_tokens + sums.cache_write_input_tokens),
    compactNumber(sums.cache_read_input_tokens),
    compactNumber(sums.output_tokens),
    cost === null ? faint(money(cost)) : money(cost),
    unpriced === 0 ? "0" : { text: compactNumber(unpriced), tone: "bad" },
  ];
}
