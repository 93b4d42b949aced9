/** `atelier providers disable`. */
import { ok } from "@atelier/base/result";
import { updateModelProvider } from "@atelier/contract/http/ai-providers";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";

export const providersDisable = defineCommand({
  name: "providers disable",
  summary: "Stop the gateway from sending to a model provider",
  examples: ["atelier providers disable openai"],
  args: { provider: argument("its name or id") },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const body = { enabled: false };
    const provider = await api.value.call(updateModelProvider, { params: args, body });
    if (!provider.ok) return provider;
    const { name } = provider.value;
    return ok(shown({ json: provider.value, text: () => safe`Disabled model provider ${name}.` }));
  },
});
