/** `atelier providers keys add`: behind the keys that are there, so it serves when they cannot. */
import { fail, ok } from "@atelier/base/result";
import { getModelProvider, updateModelProvider } from "@atelier/contract/http/ai-providers";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { providerFields } from "../output/provider-fields.ts";
import { KEY_OPTIONS, providerKeys } from "../provider-keys-input.ts";

export const providersKeysAdd = defineCommand({
  name: "providers keys add",
  summary: "Add a key to a model provider, behind those it has",
  examples: ["atelier providers keys add openai --api-key-stdin < key.txt"],
  args: { provider: argument("its name or id") },
  options: KEY_OPTIONS,
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const present = await api.value.call(getModelProvider, { params: args });
    if (!present.ok) return present;
    const keys = await providerKeys(cli, options, `API key for ${present.value.name}`);
    if (!keys.ok) return keys;
    if (keys.value.length === 0) {
      return fail(usageFailure("No key is given.", "Use --api-key-stdin or --api-key-file."));
    }
    // The list is sent whole: a key that somebody else adds at this moment would be lost.
    const provider = await api.value.call(updateModelProvider, {
      params: { provider: present.value.id },
      body: {
        if_updated_at: present.value.updated_at,
        api_keys: [
          ...present.value.api_keys.map(({ id }) => ({ id })),
          ...keys.value.map((key) => ({ api_key: key.reveal() })),
        ],
      },
    });
    if (!provider.ok) return provider;
    return ok(
      shown({
        json: provider.value,
        text: () => `Added.\n\n${providerFields(cli.look, provider.value)}`,
      }),
    );
  },
});
