/** `atelier providers create`. */
import { fail, ok } from "@atelier/base/result";
import { bedrockBaseUrl } from "@atelier/contract/bedrock-settings";
import {
  createModelProvider,
  KEYLESS_MODEL_PROVIDER_TYPES,
  MODEL_PROVIDER_DEFAULT_BASE_URLS,
  MODEL_PROVIDER_TYPES,
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
import {
  KEY_LIMIT_OPTIONS,
  providerSettings,
  SETTING_OPTIONS,
} from "../provider-settings-input.ts";

export const providersCreate = defineCommand({
  name: "providers create",
  summary: "Create a model provider",
  details: "Without a key, callers must bring their own.",
  examples: [
    "atelier providers create openai --type openai --api-key-stdin < key.txt",
    "atelier providers create copilot --type copilot",
    "atelier providers create azure --type azure --api-version 2024-10-21 \\\n" +
      "  --base-url https://ours.openai.azure.com/openai/deployments/gpt",
    "atelier providers create bedrock --type bedrock --region eu-west-1",
    "atelier providers create local --type openai-compat --base-url http://10.0.0.5:8000/v1",
  ],
  args: { name: argument("part of the gateway's URLs: lower-case letters, digits, hyphens") },
  options: {
    type: choiceOption("-t, --type <type>", "which service it is", MODEL_PROVIDER_TYPES),
    baseUrl: textOption("--base-url <url>", "default: the vendor's own"),
    displayName: textOption("--display-name <name>", "how people read it"),
    disabled: switchOption("--disabled", "create it without using it"),
    ...KEY_OPTIONS,
    ...KEY_LIMIT_OPTIONS,
    ...SETTING_OPTIONS,
  },
  run: async (cli, { args, options }) => {
    const { type, displayName, region, disabled, maxConcurrencyPerKey: keyLimit } = options;
    if (type === undefined) return fail(usageFailure("Which type? Give --type."));
    const regional = type === "bedrock" && region ? bedrockBaseUrl(region) : undefined;
    const baseUrl = options.baseUrl ?? regional ?? MODEL_PROVIDER_DEFAULT_BASE_URLS[type];
    if (baseUrl === undefined) {
      const remedy = type === "bedrock" ? "give --region or --base-url." : "give --base-url.";
      return fail(usageFailure(`Type ${type} has no address of its own: ${remedy}`));
    }
    const isKeyless = KEYLESS_MODEL_PROVIDER_TYPES.some((each) => each === type);
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const keys = await providerKeys(
      // Nothing is asked for that the type does not take; what is given all the same is refused.
      isKeyless ? { ...cli, prompts: null } : cli,
      options,
      "API key (empty: callers bring their own)",
    );
    if (!keys.ok) return keys;
    const settings = await providerSettings(cli, options);
    if (!settings.ok) return settings;
    const hasSettings = Object.keys(settings.value).length > 0;
    const provider = await api.value.call(createModelProvider, {
      body: {
        type,
        name: args.name,
        base_url: baseUrl,
        api_keys: keys.value.map((key) => key.reveal()),
        enabled: !disabled,
        ...(keyLimit === undefined ? {} : { max_concurrency_per_key: keyLimit }),
        ...(hasSettings ? { settings: settings.value } : {}),
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
