/** What people are told of each type of model provider while they set one up, and in what words it speaks. */
import {
  KEYLESS_MODEL_PROVIDER_TYPES,
  MODEL_PROVIDER_DEFAULT_BASE_URLS,
  MODEL_PROVIDER_SETTING_NAMES,
  SECRET_MODEL_PROVIDER_SETTINGS,
  type ModelProviderSettingName,
  type ModelProviderType,
} from "@atelier/contract/http/ai-providers";

type ProviderKind = {
  readonly label: string;
  /** Which clients it is for. */
  readonly about: string;
  readonly suggestedName: string;
  readonly baseUrlExample: string;
  /** Where a key is made, or why there is none. */
  readonly keyHint: string;
};

const KEY_FROM = (where: string): string => `From ${where}. It is sealed, and never shown again.`;

export const PROVIDER_KINDS: Readonly<Record<ModelProviderType, ProviderKind>> = {
  anthropic: {
    label: "Anthropic",
    about: "Claude models, for Claude Code and the Anthropic SDKs.",
    suggestedName: "anthropic",
    baseUrlExample: "https://api.anthropic.com",
    keyHint: KEY_FROM("console.anthropic.com, API keys"),
  },
  openai: {
    label: "OpenAI",
    about: "GPT models, for Codex and the OpenAI SDKs.",
    suggestedName: "openai",
    baseUrlExample: "https://api.openai.com/v1",
    keyHint: KEY_FROM("platform.openai.com, API keys"),
  },
  "openai-compat": {
    label: "OpenAI-compatible",
    about: "Any service with an API like OpenAI's: vLLM, Ollama, LiteLLM and many others.",
    suggestedName: "local",
    baseUrlExample: "http://models.internal:8000/v1",
    keyHint: "Some services take any text as a key.",
  },
  azure: {
    label: "Azure OpenAI",
    about: "Your deployments on Azure. The model of a request is the name of a deployment.",
    suggestedName: "azure",
    baseUrlExample: "https://<resource>.openai.azure.com/openai/v1",
    keyHint: KEY_FROM("the resource's page, Keys and Endpoint"),
  },
  bedrock: {
    label: "Amazon Bedrock",
    about: "Claude models by way of AWS. Clients speak Anthropic's API and know nothing of AWS.",
    suggestedName: "bedrock",
    baseUrlExample: "https://bedrock-runtime.us-east-1.amazonaws.com",
    keyHint: "Requests are signed with the AWS credentials below.",
  },
  google: {
    label: "Google Gemini",
    about: "Gemini models, by their OpenAI-compatible API.",
    suggestedName: "google",
    baseUrlExample: "https://generativelanguage.googleapis.com/v1beta/openai",
    keyHint: KEY_FROM("aistudio.google.com, API keys"),
  },
  openrouter: {
    label: "OpenRouter",
    about: "Models of many providers behind one account.",
    suggestedName: "openrouter",
    baseUrlExample: "https://openrouter.ai/api/v1",
    keyHint: KEY_FROM("openrouter.ai, Keys"),
  },
  vercel: {
    label: "Vercel AI Gateway",
    about: "Models of many providers behind one account.",
    suggestedName: "vercel",
    baseUrlExample: "https://ai-gateway.vercel.sh/v1",
    keyHint: KEY_FROM("vercel.com, AI Gateway, API keys"),
  },
  copilot: {
    label: "GitHub Copilot",
    about: "For people with a Copilot subscription of their own.",
    suggestedName: "copilot",
    baseUrlExample: "https://api.individual.githubcopilot.com",
    keyHint: "Callers bring their own credential.",
  },
};

export const SETTING_LABELS: Readonly<Record<ModelProviderSettingName, string>> = {
  api_version: "API version",
  region: "AWS region",
  model: "Model",
  small_fast_model: "Small, fast model",
  access_key: "AWS access key",
  access_key_secret: "AWS secret access key",
  session_token: "AWS session token",
  bearer_token: "Bedrock API key",
  profile: "AWS profile",
  role_arn: "AWS role to assume",
  sts_endpoint: "STS endpoint",
};

export const SETTING_EXAMPLES: Readonly<Partial<Record<ModelProviderSettingName, string>>> = {
  api_version: "2024-10-21",
  region: "us-east-1",
  model: "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
  small_fast_model: "global.anthropic.claude-haiku-4-5-20251001-v1:0",
  role_arn: "arn:aws:iam::123456789012:role/atelier",
};

export function takesKeys(type: ModelProviderType): boolean {
  return !(KEYLESS_MODEL_PROVIDER_TYPES as readonly string[]).includes(type);
}

export function settingNamesOf(type: ModelProviderType): readonly ModelProviderSettingName[] {
  return MODEL_PROVIDER_SETTING_NAMES[type] ?? [];
}

export function isSecretSetting(name: ModelProviderSettingName): boolean {
  return (SECRET_MODEL_PROVIDER_SETTINGS as readonly string[]).includes(name);
}

/** Empty where it is the operator's own. */
export function defaultBaseUrl(type: ModelProviderType): string {
  return MODEL_PROVIDER_DEFAULT_BASE_URLS[type] ?? "";
}
