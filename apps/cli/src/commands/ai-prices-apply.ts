/** `atelier ai-prices apply`. */
import { fail, ok } from "@atelier/base/result";
import { applyModelPrices } from "@atelier/contract/http/ai-costs";
import { MODEL_PROVIDER_TYPES } from "@atelier/contract/http/ai-providers";
import type { z } from "zod";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { choiceOption, defineCommand, shown, switchOption, textOption } from "../command.ts";
import { money } from "../output/money.ts";
import { isoTimeOf, momentOption } from "../search-query.ts";

export const aiPricesApply = defineCommand({
  name: "ai-prices apply",
  summary: "Count recorded requests again with the prices of now; without --all only unpriced ones",
  details:
    "Costs are fixed when a request is recorded, and later prices do not change them. This does: " +
    "the cost of requests, sessions, chats and all sums follow.",
  examples: [
    "atelier ai-prices apply --since 30d --model my-model --provider openai-compat",
    "atelier ai-prices apply --since 2026-11-01T00:00:00Z --all",
  ],
  args: {},
  options: {
    since: momentOption("--since <when>", "that began then or later"),
    until: momentOption("--until <when>", "that began before (default: now)"),
    provider: choiceOption("--provider <type>", "of this type of provider", MODEL_PROVIDER_TYPES),
    model: textOption("--model <model>", "with this model"),
    all: switchOption("--all", "also requests that have a cost"),
  },
  run: async (cli, { options }) => {
    const from = isoTimeOf(options.since, cli.look.now);
    if (from === undefined) return fail(usageFailure("Since when?", "Give --since, such as 30d."));
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const to = isoTimeOf(options.until, cli.look.now) ?? cli.look.now.toISOString();
    const requests = options.all ? "all" : "unpriced";
    const { provider, model } = options;
    const sum = { examined: 0, changed: 0, cost_change_micros: 0 };
    let after: string | null = null;
    do {
      const body: z.input<typeof applyModelPrices.body> = {
        ...{ requests, from, to, provider, model },
        ...(after === null ? {} : { after }),
      };
      const part = await api.value.call(applyModelPrices, { body });
      if (!part.ok) return part;
      sum.examined += part.value.examined;
      sum.changed += part.value.changed;
      sum.cost_change_micros += part.value.cost_change_micros;
      after = part.value.next;
    } while (after !== null);
    const difference = money(sum.cost_change_micros);
    const text = (): string =>
      `Counted ${sum.examined} requests, of which ${sum.changed} changed: ${difference} in all.`;
    return ok(shown({ json: sum, text }));
  },
});
