/** `atelier providers keys list`. */
import { ok } from "@atelier/base/result";
import { getModelProvider } from "@atelier/contract/http/ai-providers";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { keysTable } from "../output/provider-keys.ts";
import { PROVIDER_ARGUMENT } from "../provider-switch-command.ts";

export const providersKeysList = defineCommand({
  name: "providers keys list",
  summary: "List a model provider's keys in the order of use, and how each does",
  details:
    "As the server that answers sees them. `temporary`: tried again at the time shown; " +
    "`permanent`: refused by the provider, until it is reset; `unknown`: not in service.",
  examples: ["atelier providers keys list openai"],
  args: { provider: PROVIDER_ARGUMENT },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const provider = await api.value.call(getModelProvider, { params: args });
    if (!provider.ok) return provider;
    const { api_keys: keys } = provider.value;
    return ok(
      shown({
        json: { api_keys: keys, count: keys.length },
        text: () =>
          keys.length === 0
            ? "No keys: callers bring their own. Add one with `atelier providers keys add`."
            : keysTable(cli.look, keys),
      }),
    );
  },
});
