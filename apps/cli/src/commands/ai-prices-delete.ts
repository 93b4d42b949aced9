/** `atelier ai-prices delete`. */
import { fail, ok } from "@atelier/base/result";
import { deleteModelPrice } from "@atelier/contract/http/ai-costs";
import { MODEL_PROVIDER_TYPES } from "@atelier/contract/http/ai-providers";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, choiceOption, defineCommand, shown } from "../command.ts";

export const aiPricesDelete = defineCommand({
  name: "ai-prices delete",
  summary: "Take a model's own price away: from now on the catalog's counts again",
  examples: ["atelier ai-prices delete my-model --provider openai-compat"],
  args: { model: argument("as requests name it") },
  options: {
    provider: choiceOption("--provider <type>", "the type of its provider", MODEL_PROVIDER_TYPES),
  },
  run: async (cli, { args, options }) => {
    const { provider } = options;
    if (provider === undefined) return fail(usageFailure("Of which type?", "Give --provider."));
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const query = { provider, model: args.model };
    const deleted = await api.value.call(deleteModelPrice, { query });
    return deleted.ok ? ok(shown({ json: {}, text: () => "Deleted." })) : deleted;
  },
});
