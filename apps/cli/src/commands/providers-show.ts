/** `atelier providers show`. */
import { ok } from "@atelier/base/result";
import { getModelProvider } from "@atelier/contract/http/ai-providers";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { providerFields } from "../output/provider-fields.ts";

export const providersShow = defineCommand({
  name: "providers show",
  summary: "Show one model provider with its keys' hints and warnings",
  examples: ["atelier providers show openai"],
  args: { provider: argument("its name or id") },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const provider = await api.value.call(getModelProvider, { params: args });
    if (!provider.ok) return provider;
    return ok(
      shown({ json: provider.value, text: () => providerFields(cli.look, provider.value) }),
    );
  },
});
