/** `atelier providers create`. */
import { fail, ok } from "@atelier/base/result";
import {
  createModelProvider,
  MODEL_PROVIDER_TYPES,
  type ModelProviderType,
} from "@atelier/contract/http/ai-providers";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import {
  argument,
  choiceOption,
  defineCommand,
  shown,
  switchOption,
  textOption,
} from "../command.ts";
import { providerFields } from "../output/provider-fields.ts";
import { KEY_OPTIONS, providerKeys } from "../provider-keys-input.ts";

/** Of the types that have one address for everybody (spec gateway 2.3). */
const BASE_URLS: Partial<Record<ModelProviderType, string>> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com",
};

export const providersCreate = defineCommand({
  name: "providers create",
  summary: "Create a model provider",
  details: "Without a key, callers must bring their own.",
  examples: [
    "atelier providers create openai --type openai --api-key-stdin < key.txt",
    "atelier providers create local --type openai-compat --base-url http://10.0.0.5:8000/v1",
  ],
  args: { name: argument("part of the gateway's URLs: lower-case letters, digits, hyphens") },
  options: {
    type: choiceOption("-t, --type <type>", "the wire format it speaks", MODEL_PROVIDER_TYPES),
    baseUrl: textOption("--base-url <url>", "default: the vendor's own"),
    displayName: textOption("--display-name <name>", "how people read it"),
    disabled: switchOption("--disabled", "create it without using it"),
    ...KEY_OPTIONS,
  },
  run: async (cli, { args, options }) => {
    const { type, displayName, disabled } = options;
    if (type === undefined) return fail(usageFailure("Which type? Give --type."));
    const baseUrl = options.baseUrl ?? BASE_URLS[type];
    if (baseUrl === undefined) {
      return fail(usageFailure(`Type ${type} has no address of its own: give --base-url.`));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const keys = await providerKeys(cli, options, "API key (empty: callers bring their own)");
    if (!keys.ok) return keys;
    const provider = await api.value.call(createModelProvider, {
      body: {
        type,
        name: args.name,
        base_url: baseUrl,
        api_keys: keys.value.map((key) => key.reveal()),
        enabled: !disabled,
        ...(displayName === undefined ? {} : { display_name: displayName }),
      },
    });
    if (!provider.ok) return provider;
    return ok(
      shown({
        json: provider.value,
        text: () => `Created.\n\n${providerFields(cli.look, provider.value)}`,
      }),
    );
  },
});
