/** Commands that switch a model provider, or one key of it, on and off: alike but for the words. */
import { ok } from "@atelier/base/result";
import { updateModelProvider, updateModelProviderKey } from "@atelier/contract/http/ai-providers";
import { signedIn } from "./cli.ts";
import { argument, defineCommand, shown, type CommandDefinition } from "./command.ts";
import { keysTable } from "./output/provider-keys.ts";
import { safe } from "./output/terminal-safe.ts";

type Switch = {
  readonly verb: "enable" | "disable";
  readonly summary: string;
  readonly details?: string;
};

export const PROVIDER_ARGUMENT = argument("its name or id");
export const KEY_ARGUMENT = argument("the key's id, from `atelier providers keys list`");

export function providerSwitchCommand({ verb, ...words }: Switch): CommandDefinition {
  const isEnabled = verb === "enable";
  return defineCommand({
    ...words,
    name: `providers ${verb}`,
    examples: [`atelier providers ${verb} openai`],
    args: { provider: PROVIDER_ARGUMENT },
    options: {},
    run: async (cli, { args }) => {
      const api = await signedIn(cli);
      if (!api.ok) return api;
      const body = { enabled: isEnabled };
      const provider = await api.value.call(updateModelProvider, { params: args, body });
      if (!provider.ok) return provider;
      const { name } = provider.value;
      const done = isEnabled ? "Enabled" : "Disabled";
      return ok(shown({ json: provider.value, text: () => safe`${done} model provider ${name}.` }));
    },
  });
}

export function providerKeySwitchCommand({ verb, ...words }: Switch): CommandDefinition {
  const isEnabled = verb === "enable";
  return defineCommand({
    ...words,
    name: `providers keys ${verb}`,
    examples: [`atelier providers keys ${verb} openai 5c1e0f5c-8a54-4a37-9d4f-0c7a6c2a7f10`],
    args: { provider: PROVIDER_ARGUMENT, key: KEY_ARGUMENT },
    options: {},
    run: async (cli, { args }) => {
      const api = await signedIn(cli);
      if (!api.ok) return api;
      const body = { enabled: isEnabled };
      const provider = await api.value.call(updateModelProviderKey, { params: args, body });
      if (!provider.ok) return provider;
      const done = isEnabled ? "Enabled" : "Disabled";
      const keys = (): string => keysTable(cli.look, provider.value.api_keys);
      return ok(shown({ json: provider.value, text: () => `${done}.\n\n${keys()}` }));
    },
  });
}
