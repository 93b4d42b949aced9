/**
 * The clients of the model providers, one builder for each family. An SDK is loaded when the first model
 * of its family is built: together they would cost the server's start most of a second.
 */
import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { ModelFetch } from "@atelier/contract/rpc/model-transport";
import type { ClientBuilder, ClientSeed, ModelFamily } from "./model-client.ts";

export type ModelBuilders = Readonly<Record<ModelFamily, ClientBuilder>>;

const anthropicSdk = loadedOnce(() => import("@ai-sdk/anthropic"));
const googleSdk = loadedOnce(() => import("@ai-sdk/google"));
const openRouterSdk = loadedOnce(() => import("@openrouter/ai-sdk-provider"));
const openAiSdk = loadedOnce(() => import("@ai-sdk/openai"));
const compatibleSdk = loadedOnce(() => import("@ai-sdk/openai-compatible"));
const bedrockSdk = loadedOnce(() => import("@ai-sdk/amazon-bedrock"));

export const MODEL_BUILDERS: ModelBuilders = {
  "openai-responses": async (seed) => (await openAi(seed)).responses(seed.modelName),
  "openai-chat": async (seed) => (await openAi(seed)).chat(seed.modelName),
  anthropic: async ({ modelName, access, fetch }) => {
    const { createAnthropic } = await anthropicSdk();
    const baseURL = withVersion(access.baseUrl);
    return createAnthropic({ baseURL, apiKey: keyOf(access), fetch })(modelName);
  },
  bedrock,
  google: async ({ modelName, access, fetch }) => {
    const { createGoogle } = await googleSdk();
    // The rows' usual address is that of Google's imitation of OpenAI, which the gateway speaks.
    const baseURL = access.baseUrl.replace(/\/openai\/?$/, "");
    return createGoogle({ baseURL, apiKey: keyOf(access), fetch })(modelName);
  },
  "openai-compat": (seed) => compatible(seed, "openaicompat"),
  openrouter: async ({ modelName, access, fetch }) => {
    const { createOpenRouter } = await openRouterSdk();
    const provider = createOpenRouter({
      baseURL: access.baseUrl,
      apiKey: keyOf(access),
      compatibility: "strict",
      fetch,
    });
    return provider.chat(modelName);
  },
  vercel: (seed) => compatible(seed, "vercel"),
};

/** A client is built for every call: asking the host for a module that is there costs more than building it. */
function loadedOnce<Sdk>(load: () => Promise<Sdk>): () => Promise<Sdk> {
  let loading: Promise<Sdk> | null = null;
  return () => (loading ??= load());
}

async function openAi({ access, fetch }: ClientSeed) {
  const { createOpenAI } = await openAiSdk();
  return createOpenAI({ baseURL: access.baseUrl, apiKey: keyOf(access), fetch });
}

async function compatible(
  { modelName, access, fetch }: ClientSeed,
  name: string,
): Promise<LanguageModelV4> {
  const { createOpenAICompatible } = await compatibleSdk();
  const settings = { baseURL: access.baseUrl, apiKey: keyOf(access), includeUsage: true };
  return createOpenAICompatible({ ...settings, name, fetch })(modelName);
}

/** With credentials of the provider's row only: the SDK would otherwise look into the environment. */
async function bedrock({ modelName, access, fetch }: ClientSeed): Promise<LanguageModelV4> {
  const { createAmazonBedrock } = await bedrockSdk();
  const settings = access.bedrock;
  const region = settings?.region ?? regionOf(access.baseUrl);
  const provider = createAmazonBedrock({
    region,
    baseURL: access.baseUrl,
    apiKey: settings?.bearerToken?.reveal() ?? "",
    accessKeyId: settings?.accessKey?.reveal() ?? "",
    secretAccessKey: settings?.accessKeySecret?.reveal() ?? "",
    ...(settings?.sessionToken ? { sessionToken: settings.sessionToken.reveal() } : {}),
    fetch,
  });
  const isSmall = modelName.toLowerCase().includes("haiku");
  const replaced = (isSmall ? settings?.smallFastModel : null) ?? settings?.model;
  return provider(replaced ?? modelName);
}

/** As the host says it: `bedrock-runtime.eu-west-1.amazonaws.com`. */
function regionOf(baseUrl: string): string {
  return /bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\./.exec(baseUrl)?.[1] ?? "us-east-1";
}

function keyOf({ key }: ClientSeed["access"]): string {
  return key?.reveal() ?? "";
}

/** Anthropic's address is written without its version, as in the gateway. */
function withVersion(baseUrl: string): string {
  return /\/v\d+\/?$/.test(baseUrl) ? baseUrl : `${baseUrl.replace(/\/+$/, "")}/v1`;
}

/** Azure takes its key in a header of its own, and a version in the query. */
export function azureFetch(fetch: ModelFetch, access: ClientSeed["access"]): ModelFetch {
  return (input, init) => {
    const headers = new Headers(init?.headers);
    headers.delete("authorization");
    headers.set("api-key", keyOf(access));
    const url = new URL(input instanceof Request ? input.url : input);
    if (access.apiVersion !== null && !url.searchParams.has("api-version")) {
      url.searchParams.set("api-version", access.apiVersion);
    }
    return fetch(url, { ...init, headers });
  };
}
