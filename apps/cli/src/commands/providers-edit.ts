/** `atelier providers edit`. */
import { fail, ok, type Result } from "@atelier/base/result";
import { bedrockBaseUrl } from "@atelier/contract/bedrock-settings";
import {
  getModelProvider,
  ModelProviderSettings,
  updateModelProvider,
  type ModelProviderSettingName,
  type ModelProviderSettingsPatch,
} from "@atelier/contract/http/ai-providers";
import { usageFailure, type CliFailure } from "../cli-failure.ts";
import { signedIn, type Api } from "../cli.ts";
import { argument, choicesOption, defineCommand, shown, textOption } from "../command.ts";
import { KEY_POLICY_OPTIONS, keyPolicyFields } from "../key-policy-input.ts";
import { providerFields } from "../output/provider-fields.ts";
import {
  KEY_LIMIT_OPTIONS,
  providerSettings,
  SETTING_OPTIONS,
} from "../provider-settings-input.ts";

const SETTING_NAMES = ModelProviderSettings.keyof().options;

export const providersEdit = defineCommand({
  name: "providers edit",
  summary:
    "Change a model provider's address, display name, limit, settings, or whose keys serve chats",
  details:
    "Its keys are changed with `atelier providers keys`. A setting that is not given stays; an " +
    "empty one is taken away, as with --clear.",
  examples: [
    "atelier providers edit local --base-url http://10.0.0.6:8000/v1",
    "atelier providers edit bedrock --aws-access-key AKIA0123456789EXAMPLE --aws-secret-stdin < secret.txt",
    "atelier providers edit local --max-concurrency-per-key 8",
    "atelier providers edit openai --user-keys on --central-fallback off",
    "atelier providers edit bedrock --clear access_key --clear access_key_secret",
  ],
  args: { provider: argument("its name or id") },
  options: {
    baseUrl: textOption("--base-url <url>", "where its requests go"),
    displayName: textOption("--display-name <name>", "how people read it"),
    clear: choicesOption(
      "--clear <setting>",
      "take a setting away; can be repeated",
      SETTING_NAMES,
    ),
    ...KEY_LIMIT_OPTIONS,
    ...KEY_POLICY_OPTIONS,
    ...SETTING_OPTIONS,
  },
  run: async (cli, { args, options }) => {
    const { displayName, maxConcurrencyPerKey: keyLimit } = options;
    const settings = await providerSettings(cli, options);
    if (!settings.ok) return settings;
    const patch = patchOf(settings.value, options.clear);
    const hasSettings = Object.keys(patch).length > 0;
    const policy = keyPolicyFields(options);
    const fields = [options.baseUrl, displayName, keyLimit, ...Object.values(policy)];
    if (!hasSettings && fields.every((field) => field === undefined)) {
      return fail(usageFailure("Nothing to change: give --base-url, --display-name or a setting."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const region = options.baseUrl === undefined ? (patch.region ?? null) : null;
    const moved = await addressInRegion(api.value, args, region);
    if (!moved.ok) return moved;
    const baseUrl = options.baseUrl ?? moved.value;
    const provider = await api.value.call(updateModelProvider, {
      params: args,
      body: {
        ...(baseUrl === null ? {} : { base_url: baseUrl }),
        ...(hasSettings ? { settings: patch } : {}),
        ...(keyLimit === undefined ? {} : { max_concurrency_per_key: keyLimit }),
        ...policy,
        ...(displayName === undefined ? {} : { display_name: displayName }),
      },
    });
    if (!provider.ok) return provider;
    return ok(
      shown({
        json: provider.value,
        text: () => `Changed.\n\n${providerFields(cli.look, provider.value)}`,
      }),
    );
  },
});

function patchOf(
  given: ModelProviderSettings,
  cleared: readonly ModelProviderSettingName[],
): ModelProviderSettingsPatch {
  const kept = Object.entries(given).map(([name, value]) => [name, value === "" ? null : value]);
  const patch: ModelProviderSettingsPatch = Object.fromEntries(kept) as ModelProviderSettings;
  return { ...patch, ...Object.fromEntries(cleared.map((name) => [name, null])) };
}

/** A provider that stands at its region's own address moves with its region. Null: it stays. */
async function addressInRegion(
  api: Api,
  params: { readonly provider: string },
  region: string | null,
): Promise<Result<string | null, CliFailure>> {
  if (region === null) return ok(null);
  const provider = await api.call(getModelProvider, { params });
  if (!provider.ok) return provider;
  const { settings, base_url: baseUrl } = provider.value;
  const stands = settings.region !== undefined && baseUrl === bedrockBaseUrl(settings.region);
  return ok(stands ? bedrockBaseUrl(region) : null);
}
