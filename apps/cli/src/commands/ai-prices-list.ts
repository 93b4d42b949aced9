/** `atelier ai-prices list`. */
import { ok } from "@atelier/base/result";
import { listModelPrices, type ModelPrice } from "@atelier/contract/http/ai-costs";
import { signedIn } from "../cli.ts";
import { defineCommand, shown, switchOption, textOption } from "../command.ts";
import { pricesTable } from "../output/prices.ts";
import { collectPages, PAGING_OPTIONS } from "../paging.ts";

export const aiPricesList = defineCommand({
  name: "ai-prices list",
  summary: "List the prices of models that were used or given one: dollars for a million tokens",
  examples: ["atelier ai-prices list", "atelier ai-prices list --unpriced"],
  args: {},
  options: {
    provider: textOption("--provider <type>", "of this type of provider"),
    search: textOption("--search <text>", "whose model contains this"),
    unpriced: switchOption("--unpriced", "only models without a known price"),
    ...PAGING_OPTIONS,
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const { provider, search } = options;
    const page = await collectPages(options, {
      pageMax: 1_000,
      idOf: (price: ModelPrice) => `${price.provider}/${price.model}`,
      load: async ({ limit, after }) => {
        const unpriced = options.unpriced ? true : undefined;
        const query = { limit, after, provider, search, unpriced };
        const answer = await api.value.call(listModelPrices, { query });
        return answer.ok ? ok({ items: answer.value.prices, count: answer.value.count }) : answer;
      },
    });
    if (!page.ok) return page;
    const { items: prices, count, isComplete } = page.value;
    const text = (): string =>
      prices.length === 0 ? "No such models." : pricesTable(cli.look, prices);
    const note = isComplete
      ? null
      : `Showing ${prices.length} of ${count}. More: --limit or --all.`;
    return ok(shown({ json: { prices, count }, text, note }));
  },
});
