/** `atelier ai sessions list`. */
import { ok } from "@atelier/base/result";
import { listAiSessions } from "@atelier/contract/http/ai-usage";
import { signedIn } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { money } from "../output/money.ts";
import { compactNumber, orDash, since, type Cell } from "../output/people.ts";
import { pagedTable, PAGING_OPTIONS } from "../paging.ts";
import { USAGE_FILTERS, usageQuery } from "../usage-filters.ts";

export const aiSessionsList = defineCommand({
  name: "ai sessions list",
  summary: "List sessions, latest activity first; without a wider role only your own",
  examples: [
    "atelier ai sessions list --since 24h",
    "atelier ai sessions list --user ann --model gpt-5 --all --json",
  ],
  args: {},
  options: { ...USAGE_FILTERS, ...PAGING_OPTIONS },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const q = usageQuery(options, cli.look.now);
    return pagedTable(cli.look, options, {
      name: "sessions",
      empty: "No such sessions.",
      pageMax: 1_000,
      load: async ({ limit, after }) => {
        const query = { q, limit, after_session_id: after };
        const answer = await api.value.call(listAiSessions, { query });
        return answer.ok ? ok({ items: answer.value.sessions, count: answer.value.count }) : answer;
      },
      columns: [
        { title: "ACTIVE" },
        { title: "USER" },
        { title: "CLIENT" },
        { title: "MODELS" },
        { title: "CALLS", align: "right" },
        { title: "TOKENS", align: "right" },
        { title: "COST", align: "right" },
        { title: "ERRORS", align: "right" },
        { title: "ID", isWhole: true },
      ],
      row: (session): Cell[] => [
        since(cli.look, session.last_active_at),
        session.initiator.username,
        orDash(session.client),
        session.models.join(", "),
        String(session.interceptions),
        compactNumber(tokensOf(session.token_usage_summary)),
        money(session.cost_micros),
        session.errors === 0 ? "0" : { text: String(session.errors), tone: "bad" },
        session.id,
      ],
    });
  },
});

function tokensOf(totals: Readonly<Record<string, number>>): number {
  return Object.values(totals).reduce((sum, each) => sum + each, 0);
}
