/** `atelier providers keys remove`. */
import { fail, ok } from "@atelier/base/result";
import { getModelProvider, updateModelProvider } from "@atelier/contract/http/ai-providers";
import { notFoundFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { confirmed, YES_OPTION } from "../confirmation.ts";
import { providerFields } from "../output/provider-fields.ts";
import { KEY_ARGUMENT, PROVIDER_ARGUMENT } from "../provider-switch-command.ts";

export const providersKeysRemove = defineCommand({
  name: "providers keys remove",
  summary: "Take a key away from a model provider",
  examples: ["atelier providers keys remove openai 5c1e0f5c-8a54-4a37-9d4f-0c7a6c2a7f10"],
  args: { provider: PROVIDER_ARGUMENT, key: KEY_ARGUMENT },
  options: { yes: YES_OPTION },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const present = await api.value.call(getModelProvider, {
      params: { provider: args.provider },
    });
    if (!present.ok) return present;
    const { id, name, api_keys: keys, updated_at } = present.value;
    const key = keys.find((each) => each.id === args.key.toLowerCase());
    if (key === undefined) return fail(notFoundFailure(`${name} has no key of this id.`));
    const sure = await confirmed(cli, options.yes, `Take key ${key.masked} away from ${name}?`);
    if (!sure.ok) return sure;
    const rest = keys.filter((each) => each !== key).map((each) => ({ id: each.id }));
    const provider = await api.value.call(updateModelProvider, {
      params: { provider: id },
      body: { api_keys: rest, if_updated_at: updated_at },
    });
    if (!provider.ok) return provider;
    return ok(
      shown({
        json: provider.value,
        text: () => `Removed.\n\n${providerFields(cli.look, provider.value)}`,
      }),
    );
  },
});
