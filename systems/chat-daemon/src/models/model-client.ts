/** A model that can be called, and what its client speaks. */
import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { ModelFetch } from "@atelier/contract/rpc/model-transport";
import type { DirectAccess } from "./provider-keys.ts";
import type { ChatProviderType } from "./provider-names.ts";

/** Which client speaks with the model; it decides how options are spelt. */
export type ModelFamily =
  | "openai-responses"
  | "openai-chat"
  | "anthropic"
  | "bedrock"
  | "google"
  | "openai-compat"
  | "openrouter"
  | "vercel";

export type ModelClient = {
  readonly model: LanguageModelV4;
  readonly family: ModelFamily;
  /** Whose options of the model's configuration are meant. */
  readonly providerType: ChatProviderType;
  /** As the provider is told it. */
  readonly modelName: string;
};

/** What a client is made with. */
export type ClientSeed = {
  readonly modelName: string;
  readonly access: DirectAccess;
  readonly fetch: ModelFetch;
};

/** Null: it made none, which is a mistake of ours. */
export type ClientBuilder = (seed: ClientSeed) => Promise<LanguageModelV4 | null>;

/** Says more of a failed call than the SDKs' classes, of which several copies are installed. */
export const GATEWAY_PLACEHOLDER = "coder-aibridge";
export const GATEWAY_HOST = `http://${GATEWAY_PLACEHOLDER}`;

/** The family that serves a provider's type through the gateway (spec agents 8.3). */
export function gatewayFamily(type: string, useResponsesApi: boolean): ModelFamily {
  if (type === "openai") return useResponsesApi ? "openai-responses" : "openai-chat";
  return type === "anthropic" || type === "bedrock" ? "anthropic" : "openai-compat";
}

/** The gateway's own address for a family, without a host of meaning. */
export function gatewayBaseUrl(family: ModelFamily): string {
  return family === "anthropic" ? GATEWAY_HOST : `${GATEWAY_HOST}/v1`;
}

export function directFamily(
  type: ChatProviderType,
  {
    baseUrl,
    useResponsesApi,
  }: { readonly baseUrl: string; readonly useResponsesApi: boolean | null },
): ModelFamily {
  if (type === "azure") {
    // An address of one deployment serves its chat completions.
    const isUsual = !baseUrl.includes("/deployments/");
    return (useResponsesApi ?? isUsual) ? "openai-responses" : "openai-chat";
  }
  if (type === "openai") return (useResponsesApi ?? true) ? "openai-responses" : "openai-chat";
  return type;
}
