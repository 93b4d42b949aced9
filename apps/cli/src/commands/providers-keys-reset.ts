/** `atelier providers keys reset`. */
import { ok } from "@atelier/base/result";
import { resetModelProviderKey } from "@atelier/contract/http/ai-providers";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";
import { KEY_ARGUMENT, PROVIDER_ARGUMENT } from "../provider-switch-command.ts";

export const providersKeysReset = defineCommand({
  name: "providers keys reset",
  summary: "Let every server try a key again that its model provider has refused",
  examples: ["atelier providers keys reset openai 5c1e0f5c-8a54-4a37-9d4f-0c7a6c2a7f10"],
  args: { provider: PROVIDER_ARGUMENT, key: KEY_ARGUMENT },
  options: {},
  run: async (cli, { args }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const reset = await api.value.call(resetModelProviderKey, { params: args });
    if (!reset.ok) return reset;
    const { key, provider } = args;
    return ok(
      shown({
        json: { reset: key },
        text: () => safe`Every server tries key ${key} of ${provider} again.`,
      }),
    );
  },
});
