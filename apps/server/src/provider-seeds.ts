/**
 * From the options about model providers to what a start is to store (spec gateway 11.6). Only what
 * the options say among themselves is judged here: whether such a provider can exist is judged where
 * all providers are, when it is stored.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import { MODEL_PROVIDER_DEFAULT_BASE_URLS } from "@atelier/contract/http/ai-providers";
import type { ControlPlaneConfig } from "@atelier/control-plane/start";
import type { FamilyValues } from "@atelier/host/option-family";
import type { OptionValues } from "@atelier/host/option";
import type { PROVIDER_FAMILY, PROVIDER_OPTIONS } from "./provider-options.ts";

type ProviderSeed = ControlPlaneConfig["providerSeeds"][number];
type NamedOptions = OptionValues<typeof PROVIDER_OPTIONS>;
type NumberedOptions = FamilyValues<typeof PROVIDER_FAMILY>;

/** The seeds, or every mistake in what the options say. */
export function toProviderSeeds(
  named: NamedOptions,
  numbered: readonly NumberedOptions[],
): Result<readonly ProviderSeed[], readonly string[]> {
  const mistakes: string[] = [];
  const seeds: ProviderSeed[] = [];
  const results = [...namedSeeds(named), ...numbered.map((each) => numberedSeed(each))];
  for (const seed of results) {
    if (seed.ok) seeds.push(seed.value);
    else mistakes.push(seed.failure);
  }
  mistakes.push(...gaps(numbered), ...collisions(seeds));
  return mistakes.length > 0 ? fail(mistakes) : ok(seeds);
}

/** Options that say something about a provider that nothing else makes. */
export function uselessProviderOptions(named: NamedOptions): readonly string[] {
  const kinds = [
    ["openai", named.aiGatewayOpenaiBaseUrl, named.aiGatewayOpenaiKey],
    ["anthropic", named.aiGatewayAnthropicBaseUrl, named.aiGatewayAnthropicKey],
  ] as const;
  return kinds
    .filter(([, baseUrl, key]) => baseUrl !== null && key === null)
    .map(([kind]) => `ai-gateway-${kind}-base-url has no effect without ai-gateway-${kind}-key`);
}

type SeedResult = Result<ProviderSeed, string>;

function namedSeeds(options: NamedOptions): SeedResult[] {
  const seeds: SeedResult[] = [];
  const withKey = (type: "openai" | "anthropic", key: Secret | null, baseUrl: string | null) => {
    if (key === null) return;
    const address = baseUrl ?? String(MODEL_PROVIDER_DEFAULT_BASE_URLS[type]);
    const origin = `ai-gateway-${type}-*`;
    const served = { baseUrl: address, keys: [key], keyConcurrencyMax: null };
    seeds.push(ok({ origin, type, name: type, ...served, settings: {} }));
  };
  withKey("openai", options.aiGatewayOpenaiKey, options.aiGatewayOpenaiBaseUrl);
  withKey("anthropic", options.aiGatewayAnthropicKey, options.aiGatewayAnthropicBaseUrl);
  const bedrock = {
    baseUrl: options.aiGatewayBedrockBaseUrl,
    region: options.aiGatewayBedrockRegion,
    accessKey: options.aiGatewayBedrockAccessKey,
    accessKeySecret: options.aiGatewayBedrockAccessKeySecret,
    model: options.aiGatewayBedrockModel,
    smallFastModel: options.aiGatewayBedrockSmallFastModel,
  };
  const origin = "ai-gateway-bedrock-*";
  if (isBedrock(bedrock)) seeds.push(bedrockSeed({ origin, name: "anthropic" }, bedrock));
  else if (bedrock.baseUrl !== null) seeds.push(fail(`${origin}: the region is missing`));
  return seeds;
}

function numberedSeed({ number, values }: NumberedOptions): SeedResult {
  const prefix = `ai-gateway-provider-${number}`;
  const origin = `${prefix}-*`;
  if (values.type === null) return fail(`${prefix}-type is missing`);
  const type = values.type as ModelProviderType; // The option's own check.
  const name = values.name ?? type;
  if (values.key !== null && values.keys.length > 0) {
    return fail(`${prefix}-key and ${prefix}-keys are both set; keep one`);
  }
  const keys = values.key === null ? values.keys : [values.key];
  const bedrock = {
    baseUrl: values.bedrockBaseUrl ?? values.baseUrl,
    region: values.bedrockRegion,
    accessKey: values.bedrockAccessKey,
    accessKeySecret: values.bedrockAccessKeySecret,
    model: values.bedrockModel,
    smallFastModel: values.bedrockSmallFastModel,
  };
  if (type === "bedrock" || (type === "anthropic" && isBedrock(bedrock))) {
    if (keys.length > 0) {
      return fail(`${origin}: Bedrock takes no API keys; give an AWS access key or neither`);
    }
    if (values.maxConcurrencyPerKey > 0) {
      return fail(`${prefix}-max-concurrency-per-key: Bedrock takes no keys that could be limited`);
    }
    return bedrockSeed({ origin, name }, bedrock);
  }
  if (isBedrock(bedrock)) {
    return fail(`${origin}: a provider of type ${type} has no Bedrock settings`);
  }
  const baseUrl = values.baseUrl ?? MODEL_PROVIDER_DEFAULT_BASE_URLS[type];
  if (baseUrl === undefined) {
    return fail(
      `${prefix}-base-url is missing: type ${type} has no address that is the same for all`,
    );
  }
  const settings = values.apiVersion === null ? {} : { api_version: values.apiVersion };
  const keyConcurrencyMax = values.maxConcurrencyPerKey || null;
  return ok({ origin, type, name, baseUrl, keys, keyConcurrencyMax, settings });
}

type BedrockOptions = {
  readonly baseUrl: string | null;
  readonly region: string | null;
  readonly accessKey: Secret | null;
  readonly accessKeySecret: Secret | null;
  readonly model: string;
  readonly smallFastModel: string;
};

/** The models have defaults and each provider has an address, so that neither says anything. */
function isBedrock({ region, accessKey, accessKeySecret }: BedrockOptions): boolean {
  return region !== null || accessKey !== null || accessKeySecret !== null;
}

/** The one place that knows what Bedrock's settings are called where they are stored. */
function bedrockSeed(
  { origin, name }: { readonly origin: string; readonly name: string },
  { baseUrl, region, accessKey, accessKeySecret, model, smallFastModel }: BedrockOptions,
): SeedResult {
  if (region === null && baseUrl === null) return fail(`${origin}: the region is missing`);
  if ((accessKey === null) !== (accessKeySecret === null)) {
    return fail(`${origin}: the access key and its secret belong together; one is missing`);
  }
  const credentials =
    accessKey === null || accessKeySecret === null
      ? {}
      : { access_key: accessKey, access_key_secret: accessKeySecret };
  return ok({
    origin,
    type: "bedrock",
    name,
    baseUrl: baseUrl ?? `https://bedrock-runtime.${region}.amazonaws.com`,
    keys: [],
    keyConcurrencyMax: null,
    settings: {
      ...(region === null ? {} : { region }),
      model,
      small_fast_model: smallFastModel,
      ...credentials,
    },
  });
}

function gaps(numbered: readonly NumberedOptions[]): readonly string[] {
  const gap = numbered.findIndex(({ number }, index) => number !== index);
  const found = numbered[gap];
  return found === undefined
    ? []
    : [
        `ai-gateway-provider-${found.number}-* is set, but ai-gateway-provider-${gap}-* is not: ` +
          "number model providers from 0 without gaps",
      ];
}

function collisions(seeds: readonly ProviderSeed[]): readonly string[] {
  return [...Map.groupBy(seeds, ({ name }) => name)]
    .filter(([, same]) => same.length > 1)
    .map(([name, same]) => {
      const origins = same.map(({ origin }) => origin).join(" and ");
      return `${origins} describe the same model provider, ${JSON.stringify(name)}: give each its own name`;
    });
}
