/** `atelier ai interceptions list`. */
import { ok } from "@atelier/base/result";
import { listInterceptions } from "@atelier/contract/http/ai-usage";
import { signedIn } from "../cli.ts";
import { defineCommand, textOption } from "../command.ts";
import { compactNumber, orDash, since, type Cell } from "../output/people.ts";
import { pagedTable, PAGING_OPTIONS } from "../paging.ts";
import { USAGE_FILTERS, usageQuery } from "../usage-filters.ts";

export const aiInterceptionsList = defineCommand({
  name: "ai interceptions list",
  summary: "List ended interceptions, latest start first; without a wider role only your own",
  examples: [
    "atelier ai interceptions list --since 1h",
    "atelier ai interceptions list --session 5c1e0f5c --all --json",
  ],
  args: {},
  options: {
    session: textOption("--session <id>", "of this session"),
    ...USAGE_FILTERS,
    ...PAGING_OPTIONS,
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const q = usageQuery(options, cli.look.now, options.session);
    return pagedTable(cli.look, options, {
      name: "results",
      empty: "No such interceptions.",
      pageMax: 1_000,
      load: async ({ limit, after }) => {
        const query = { q, limit, after_id: after };
        const answer = await api.value.call(listInterceptions, { query });
        return answer.ok ? ok({ items: answer.value.results, count: answer.value.count }) : answer;
      },
      columns: [
        { title: "STARTED" },
        { title: "USER" },
        { title: "PROVIDER" },
        { title: "MODEL" },
        { title: "CLIENT" },
        { title: "IN", align: "right" },
        { title: "OUT", align: "right" },
        { title: "ERROR" },
      ],
      row: (each): Cell[] => [
        since(cli.look, each.started_at),
        each.initiator.username,
        each.provider_name,
        each.model,
        orDash(each.client),
        compactNumber(each.token_usages.reduce((sum, use) => sum + use.input_tokens, 0)),
        compactNumber(each.token_usages.reduce((sum, use) => sum + use.output_tokens, 0)),
        each.error_type === null ? orDash(null) : { text: each.error_type, tone: "bad" },
      ],
    });
  },
});
