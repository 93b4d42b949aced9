/**
 * The options that describe model providers, which a start of the server stores (spec gateway 11.6):
 * one OpenAI, one Anthropic and one Bedrock provider by names of their own, and any number of others
 * by number. What they amount to: provider-seeds.ts.
 */
import {
  MODEL_PROVIDER_DEFAULT_BASE_URLS,
  MODEL_PROVIDER_TYPES,
} from "@atelier/contract/http/ai-providers";
import type { Option } from "@atelier/host/option";

const GROUP = "Model providers at start";
const BEDROCK_MODEL = "global.anthropic.claude-sonnet-4-5-20250929-v1:0";
const BEDROCK_SMALL_FAST_MODEL = "global.anthropic.claude-haiku-4-5-20251001-v1:0";

export const PROVIDER_OPTIONS = [
  {
    name: "ai-gateway-openai-key",
    kind: "secret",
    default: null,
    aliases: ["CODER_AIBRIDGE_OPENAI_KEY"],
    group: GROUP,
    description:
      "Key of a model provider called openai, which is stored at the start if it is not there yet.",
  },
  {
    name: "ai-gateway-openai-base-url",
    kind: "url",
    default: null,
    defaultText: String(MODEL_PROVIDER_DEFAULT_BASE_URLS.openai),
    aliases: ["CODER_AIBRIDGE_OPENAI_BASE_URL"],
    group: GROUP,
    description: "Base URL of that provider.",
  },
  {
    name: "ai-gateway-anthropic-key",
    kind: "secret",
    default: null,
    aliases: ["CODER_AIBRIDGE_ANTHROPIC_KEY"],
    group: GROUP,
    description:
      "Key of a model provider called anthropic, which is stored at the start if it is not there yet.",
  },
  {
    name: "ai-gateway-anthropic-base-url",
    kind: "url",
    default: null,
    defaultText: String(MODEL_PROVIDER_DEFAULT_BASE_URLS.anthropic),
    aliases: ["CODER_AIBRIDGE_ANTHROPIC_BASE_URL"],
    group: GROUP,
    description: "Base URL of that provider.",
  },
  {
    name: "ai-gateway-bedrock-region",
    kind: "string",
    default: null,
    aliases: ["CODER_AIBRIDGE_BEDROCK_REGION"],
    group: GROUP,
    description:
      "AWS region of a model provider of type bedrock called anthropic, which is stored at the start if it is not there yet.",
  },
  {
    name: "ai-gateway-bedrock-base-url",
    kind: "url",
    default: null,
    defaultText: "Bedrock's address in the region",
    aliases: ["CODER_AIBRIDGE_BEDROCK_BASE_URL"],
    group: GROUP,
    description: "Base URL of that provider.",
  },
  {
    name: "ai-gateway-bedrock-access-key",
    kind: "secret",
    default: null,
    defaultText: "what the server's AWS environment gives",
    aliases: ["CODER_AIBRIDGE_BEDROCK_ACCESS_KEY"],
    group: GROUP,
    description: "AWS access key of that provider.",
  },
  {
    name: "ai-gateway-bedrock-access-key-secret",
    kind: "secret",
    default: null,
    aliases: ["CODER_AIBRIDGE_BEDROCK_ACCESS_KEY_SECRET"],
    group: GROUP,
    description: "The secret that belongs to the access key.",
  },
  {
    name: "ai-gateway-bedrock-model",
    kind: "string",
    default: BEDROCK_MODEL,
    aliases: ["CODER_AIBRIDGE_BEDROCK_MODEL"],
    group: GROUP,
    description: "Bedrock's name of the model that serves. Alone it makes no provider.",
  },
  {
    name: "ai-gateway-bedrock-small-fast-model",
    kind: "string",
    default: BEDROCK_SMALL_FAST_MODEL,
    aliases: [
      "CODER_AI_GATEWAY_BEDROCK_SMALL_FASTMODEL",
      "CODER_AIBRIDGE_BEDROCK_SMALL_FAST_MODEL",
      "CODER_AIBRIDGE_BEDROCK_SMALL_FASTMODEL",
    ],
    group: GROUP,
    description:
      "Bedrock's name of the model that serves where a request asks for a small one. Alone it makes no provider.",
  },
] as const satisfies readonly Option[];

/** `<n>` counts from 0 without gaps. */
export const PROVIDER_FAMILY = [
  {
    name: "ai-gateway-provider-<n>-type",
    kind: "string",
    default: null,
    check: (text: string) =>
      (MODEL_PROVIDER_TYPES as readonly string[]).includes(text)
        ? null
        : `is not one of ${MODEL_PROVIDER_TYPES.join(", ")}`,
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_TYPE"],
    group: GROUP,
    description:
      "Type of a further model provider, which is stored at the start if it is not there yet. Providers are numbered from 0 without gaps.",
  },
  {
    name: "ai-gateway-provider-<n>-name",
    kind: "string",
    default: null,
    defaultText: "the type",
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_NAME"],
    group: GROUP,
    description: "Its name: the first part of its path in the gateway.",
  },
  {
    name: "ai-gateway-provider-<n>-base-url",
    kind: "url",
    default: null,
    defaultText: "the type's, where it has one",
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_BASE_URL"],
    group: GROUP,
    description: "The base URL of that provider.",
  },
  {
    name: "ai-gateway-provider-<n>-key",
    kind: "secret",
    default: null,
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_KEY"],
    group: GROUP,
    description: "The key of that provider. Without one, callers bring their own.",
  },
  {
    name: "ai-gateway-provider-<n>-keys",
    kind: "secrets",
    default: [],
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_KEYS"],
    group: GROUP,
    description: "Its keys, in the order in which they are tried, instead of one key.",
  },
  {
    name: "ai-gateway-provider-<n>-max-concurrency-per-key",
    kind: "int",
    default: 0,
    min: 0,
    max: 1_000_000,
    defaultText: "no limit, or the one that is stored",
    group: GROUP,
    description:
      "Requests that each of its keys serves at the same time in one server; others wait. 0 says nothing.",
  },
  {
    name: "ai-gateway-provider-<n>-api-version",
    kind: "string",
    default: null,
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_API_VERSION"],
    group: GROUP,
    description: "API version that is sent to a provider of type azure.",
  },
  {
    name: "ai-gateway-provider-<n>-bedrock-region",
    kind: "string",
    default: null,
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_BEDROCK_REGION"],
    group: GROUP,
    description: "AWS region of a provider of type bedrock.",
  },
  {
    name: "ai-gateway-provider-<n>-bedrock-base-url",
    kind: "url",
    default: null,
    defaultText: "the base URL, or Bedrock's address in the region",
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_BEDROCK_BASE_URL"],
    group: GROUP,
    description: "Another spelling of the base URL of a provider of type bedrock.",
  },
  {
    name: "ai-gateway-provider-<n>-bedrock-access-key",
    kind: "secret",
    default: null,
    defaultText: "what the server's AWS environment gives",
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_BEDROCK_ACCESS_KEY"],
    group: GROUP,
    description: "AWS access key of a provider of type bedrock.",
  },
  {
    name: "ai-gateway-provider-<n>-bedrock-access-key-secret",
    kind: "secret",
    default: null,
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_BEDROCK_ACCESS_KEY_SECRET"],
    group: GROUP,
    description: "The secret that belongs to the access key.",
  },
  {
    name: "ai-gateway-provider-<n>-bedrock-model",
    kind: "string",
    default: BEDROCK_MODEL,
    aliases: ["CODER_AIBRIDGE_PROVIDER_<N>_BEDROCK_MODEL"],
    group: GROUP,
    description: "Bedrock's name of the model that serves.",
  },
  {
    name: "ai-gateway-provider-<n>-bedrock-small-fast-model",
    kind: "string",
    default: BEDROCK_SMALL_FAST_MODEL,
    aliases: [
      "CODER_AI_GATEWAY_PROVIDER_<N>_BEDROCK_SMALL_FASTMODEL",
      "CODER_AIBRIDGE_PROVIDER_<N>_BEDROCK_SMALL_FAST_MODEL",
      "CODER_AIBRIDGE_PROVIDER_<N>_BEDROCK_SMALL_FASTMODEL",
    ],
    group: GROUP,
    description: "Bedrock's name of the model that serves where a request asks for a small one.",
  },
] as const satisfies readonly Option[];
