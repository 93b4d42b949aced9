/**
 * What makes a model provider one of Amazon Bedrock, and what is wrong with its settings (spec gateway
 * 4.5.1, 7.2). The control plane refuses such settings, the gateway does not call with them: both say
 * the same of them, because both ask here.
 */

/** In the order in which people are shown them. */
export const BEDROCK_SETTING_NAMES = [
  "region",
  "model",
  "small_fast_model",
  "access_key",
  "access_key_secret",
  "session_token",
  "bearer_token",
  "profile",
  "role_arn",
  "sts_endpoint",
] as const;
export type BedrockSettingName = (typeof BEDROCK_SETTING_NAMES)[number];

/** Any of them makes a provider one of Bedrock. Models have defaults, so they say nothing. */
const TELLING: readonly BedrockSettingName[] = [
  "region",
  "access_key",
  "access_key_secret",
  "bearer_token",
  "profile",
  "role_arn",
];

/** Stored with providers whose creator names none. */
export const BEDROCK_DEFAULT_MODELS = {
  model: "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
  small_fast_model: "global.anthropic.claude-haiku-4-5-20251001-v1:0",
} as const;

/** Only whether they are there and not empty is looked at. */
export type BedrockSettingsGiven = Readonly<Partial<Record<BedrockSettingName, unknown>>>;

export type BedrockMistake = { readonly setting: BedrockSettingName; readonly message: string };

export function isBedrockConfigured(settings: BedrockSettingsGiven): boolean {
  return TELLING.some((name) => isGiven(settings[name]));
}

/** All mistakes, the most telling one first. */
export function bedrockMistakes(
  settings: BedrockSettingsGiven,
  baseUrl: string,
): readonly BedrockMistake[] {
  const has = (name: BedrockSettingName): boolean => isGiven(settings[name]);
  const mistakes: BedrockMistake[] = [];
  const check = (isRight: boolean, setting: BedrockSettingName, message: string): void => {
    if (!isRight) mistakes.push({ setting, message });
  };
  check(has("region") || baseUrl !== "", "region", "region or base url required");
  check(has("model"), "model", "model required");
  check(has("small_fast_model"), "small_fast_model", "small fast model required");
  check(
    has("access_key") === has("access_key_secret"),
    has("access_key") ? "access_key_secret" : "access_key",
    "both access key and access key secret must be provided together",
  );
  check(
    !has("session_token") || has("access_key"),
    "session_token",
    "a session token belongs to an access key",
  );
  check(
    !has("profile") || !has("access_key"),
    "profile",
    "a profile and an access key exclude each other",
  );
  check(
    !has("bearer_token") || !(has("access_key") || has("profile") || has("role_arn")),
    "bearer_token",
    "a bearer token excludes access key, profile and role",
  );
  return mistakes;
}

/** The address of Bedrock's models in a region. */
export function bedrockBaseUrl(region: string): string {
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return `https://bedrock-runtime.${region}.${domain}`;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}
