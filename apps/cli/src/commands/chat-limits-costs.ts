/** `atelier chat-limits costs`. */
import { ok } from "@atelier/base/result";
import { getChatCostSummary, listChatCosts } from "@atelier/contract/http/chat-spending";
import { signedIn } from "../cli.ts";
import { countOption, defineCommand, optionalArgument, shown, textOption } from "../command.ts";
import { costSummaryText, peoplesCostsText } from "../output/spending.ts";

const USERS_MAX = 1_000;

export const chatLimitsCosts = defineCommand({
  name: "chat-limits costs",
  summary: "Show what agents cost: by person, or of one person by model and chat",
  details: "Without --from the last 30 days. Days are those of UTC.",
  examples: [
    "atelier chat-limits costs",
    "atelier chat-limits costs me",
    "atelier chat-limits costs ann --from 2026-11-01 --to 2026-11-30",
  ],
  args: { user: optionalArgument("a username, user id, or `me`; none: everybody") },
  options: {
    from: textOption("--from <day>", "the first day, as 2026-11-01"),
    to: textOption("--to <day>", "the last day (default: today)"),
    limit: countOption("-l, --limit <count>", "how many people (default: 50)", USERS_MAX),
  },
  run: async (cli, { args: { user }, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const days = { start_date: options.from, end_date: options.to };
    if (user !== undefined) {
      const summary = await api.value.call(getChatCostSummary, { params: { user }, query: days });
      if (!summary.ok) return summary;
      return ok(
        shown({ json: summary.value, text: () => costSummaryText(cli.look, summary.value) }),
      );
    }
    const query = { ...days, limit: options.limit ?? 50 };
    const costs = await api.value.call(listChatCosts, { query });
    if (!costs.ok) return costs;
    const { users, count } = costs.value;
    const note =
      users.length === count ? null : `Showing ${users.length} of ${count}. More: --limit.`;
    return ok(
      shown({ json: costs.value, text: () => peoplesCostsText(cli.look, costs.value), note }),
    );
  },
});
