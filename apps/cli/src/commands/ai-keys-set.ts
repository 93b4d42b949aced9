/** `atelier ai keys set`. */
import { fail, ok } from "@atelier/base/result";
import { setUserProviderKey } from "@atelier/contract/http/ai-user-keys";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { userKeysTable } from "../output/user-keys.ts";
import { terminalSafe } from "../output/terminal-safe.ts";
import { PRIVATE_KEY_OPTIONS, providerKeys } from "../provider-keys-input.ts";
import { PROVIDER_ARGUMENT } from "../provider-switch-command.ts";

export const aiKeysSet = defineCommand({
  name: "ai keys set",
  summary: "Set your own key for a model provider, in place of the one before",
  details:
    "It serves, instead of the company's keys, what the server calls for you. Your own clients " +
    "bring their key with each request. Asks for the key where no option brings it.",
  examples: [
    "atelier ai keys set openai",
    "printenv OPENAI_API_KEY | atelier ai keys set openai --api-key-stdin",
  ],
  args: { provider: PROVIDER_ARGUMENT },
  options: PRIVATE_KEY_OPTIONS,
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const question = terminalSafe(`Your API key for ${args.provider}`);
    const keys = await providerKeys(cli, { ...options, apiKey: [] }, question);
    if (!keys.ok) return keys;
    const [key, another] = keys.value;
    if (key === undefined || another !== undefined) {
      const message = key === undefined ? "No key is given." : "More than one key is given.";
      return fail(usageFailure(message, "Use --api-key-stdin, or --api-key-file once."));
    }
    const set = await api.value.call(setUserProviderKey, {
      params: { user: "me", provider: args.provider },
      body: { api_key: key.reveal() },
    });
    if (!set.ok) return set;
    const text = (): string => `Set.\n\n${userKeysTable(cli.look, [set.value])}`;
    return ok(shown({ json: set.value, text }));
  },
});
