/**
 * The one place where clients of models are made (spec agents 8.1). Whatever is missing is refused here,
 * before anything is sent; a call through the gateway never carries a key of the company.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  delegatedFetch,
  GOVERNANCE_TOKEN_HEADER,
  type Delegation,
  type Hold,
  type ModelFetch,
  type ModelTransports,
  type ProviderAuth,
} from "@atelier/contract/rpc/model-transport";
import { azureFetch, type ModelBuilders } from "./model-builders-io.ts";
import {
  directFamily,
  GATEWAY_PLACEHOLDER,
  gatewayBaseUrl,
  gatewayFamily,
  type ModelClient,
  type ModelFamily,
} from "./model-client.ts";
import { routeFailure, type ModelFailure } from "./model-failure.ts";
import {
  directProviderKeys,
  identityHeaders,
  ROUTE_UNSET,
  type ModelBuildOptions,
  type ModelClientRequest,
  type ResolvedModelRoute,
} from "./model-route.ts";
import type { DirectAccess } from "./provider-keys.ts";
import {
  missingKey,
  parseProviderType,
  resolveModelReference,
  type ChatProviderType,
} from "./provider-names.ts";
import { Secret } from "@atelier/base/secret";

export type ModelClientDeps = {
  readonly builders: ModelBuilders;
  /** Null: this server has no gateway. Asked anew each time: one can come and go. */
  readonly transports: ModelTransports | null;
  /** For calls that do not go through the gateway. */
  readonly directFetch: ModelFetch;
};

type Built = Promise<Result<ModelClient, ModelFailure>>;

export function newModel(
  deps: ModelClientDeps,
  request: ModelClientRequest,
  route: ResolvedModelRoute,
  options: ModelBuildOptions,
): Built {
  if (route.kind === "unset") return Promise.resolve(fail(ROUTE_UNSET));
  return route.kind === "direct"
    ? newDirectModel(deps, request, route, options)
    : newGatewayModel(deps, request, route, options);
}

async function newDirectModel(
  deps: ModelClientDeps,
  request: ModelClientRequest,
  route: Extract<ResolvedModelRoute, { kind: "direct" }>,
  { recordHttp, hold }: ModelBuildOptions,
): Built {
  const reference = resolveModelReference(request.modelName, route.providerHint);
  if (!reference.ok) return reference;
  const { provider, model: modelName } = reference.value;
  const access = directProviderKeys(route).accessTo(provider);
  if (access === undefined) return fail(missingKey(provider));
  const obstacle = whyUnusable(provider, access);
  if (obstacle !== null) return fail(obstacle);
  const useResponsesApi = request.callConfig.openai_config?.use_responses_api ?? null;
  const family = directFamily(provider, { baseUrl: access.baseUrl, useResponsesApi });
  const directFetch = hold === null ? deps.directFetch : heldFetch(deps.directFetch, hold);
  const sent = recordHttp?.(directFetch, secretsOf(access)) ?? directFetch;
  const fetch = provider === "azure" ? azureFetch(sent, access) : sent;
  const seed = { modelName, access, fetch: withHeaders(fetch, headersOf(request)) };
  return build(deps, { family, provider, seed });
}

function secretsOf({ key, bedrock }: DirectAccess): readonly Secret[] {
  const { accessKey, accessKeySecret, sessionToken, bearerToken } = bedrock ?? {};
  return [key, accessKey, accessKeySecret, sessionToken, bearerToken].filter(
    (secret) => secret instanceof Secret,
  );
}

function secretsOfAuth(auth: ProviderAuth): readonly Secret[] {
  const headers = new Headers();
  auth.applyTo(headers);
  return [...headers]
    .filter(([name]) => name !== GOVERNANCE_TOKEN_HEADER)
    .map(([, value]) => new Secret(value));
}

function whyUnusable(provider: ChatProviderType, access: DirectAccess): ModelFailure | null {
  if (provider === "bedrock") {
    const { bedrock } = access;
    const isSigned = bedrock?.accessKey && bedrock.accessKeySecret && bedrock.roleArn === null;
    if (bedrock?.bearerToken || isSigned) return null;
    const message = "Bedrock credentials of the server or a role serve through the AI Gateway only";
    return bedrock === null ? missingKey(provider) : routeFailure("config", message);
  }
  if (access.key === null) return missingKey(provider);
  return provider === "azure" && access.baseUrl === ""
    ? routeFailure("config", "Azure OpenAI requires a base URL")
    : null;
}

async function newGatewayModel(
  deps: ModelClientDeps,
  request: ModelClientRequest,
  route: Extract<ResolvedModelRoute, { kind: "ai_gateway" }>,
  { activeApiKeyId, recordHttp, hold }: ModelBuildOptions,
): Built {
  const { provider, modelProviderHint: hint, providerAuth } = route;
  if (provider === null || provider.id === "") {
    return fail(routeFailure("config", "AI Gateway routing requires a concrete AI provider"));
  }
  if (provider.name === "") {
    return fail(routeFailure("config", "AI Gateway routing requires an AI provider name"));
  }
  if (activeApiKeyId === "") return fail(KEY_ID_MISSING);
  const delegation = { apiKeyId: activeApiKeyId, auth: providerAuth, hold };
  const found = delegated(deps, provider.name, delegation);
  if (!found.ok) return found;
  const recorded = recordHttp?.(found.value, secretsOfAuth(providerAuth)) ?? found.value;
  const useResponsesApi = request.callConfig.openai_config?.use_responses_api ?? true;
  const family = gatewayFamily(hint, useResponsesApi);
  const reference = resolveModelReference(request.modelName, hint);
  const isOwn = reference.ok && reference.value.provider === parseProviderType(hint);
  const modelName = isOwn ? reference.value.model : request.modelName.trim();
  const access = {
    baseUrl: gatewayBaseUrl(family),
    key: new Secret(GATEWAY_PLACEHOLDER),
    bedrock: null,
    apiVersion: null,
  };
  const seed = { modelName, access, fetch: withHeaders(recorded, headersOf(request)) };
  return build(deps, { family, provider: parseProviderType(hint) ?? "openai-compat", seed });
}

const KEY_ID_MISSING = routeFailure(
  "missing_key",
  "AI Gateway routing requires the active turn API key ID",
  "The message does not say which sign-in or token it came with. Send it again. If that does not help, tell an administrator.",
);

function delegated(
  { transports }: ModelClientDeps,
  providerName: string,
  delegation: Delegation,
): Result<ModelFetch, ModelFailure> {
  const unmounted = routeFailure("config", "AI Gateway transport factory is not configured");
  if (transports === null) return fail(unmounted);
  const transport = transports.transportFor(providerName, "agents");
  if (transport.ok) return ok(delegatedFetch(transport.value, delegation));
  return transport.failure === "gateway_not_mounted"
    ? fail(unmounted)
    : fail(routeFailure("config", `create AI Gateway transport: ${transport.failure}`));
}

async function build(
  { builders }: ModelClientDeps,
  wanted: {
    readonly family: ModelFamily;
    readonly provider: ChatProviderType;
    readonly seed: Parameters<ModelBuilders[ModelFamily]>[0];
  },
): Built {
  const { family, provider, seed } = wanted;
  const { modelName } = seed;
  const model = await builders[family](seed);
  if (model === null) {
    return fail(routeFailure("config", `provider "${provider}" made no model for "${modelName}"`));
  }
  return ok({ model, family, providerType: provider, modelName });
}

function headersOf({ chat, userAgent, extraHeaders }: ModelClientRequest) {
  return { ...extraHeaders, ...identityHeaders(chat), "user-agent": userAgent };
}

function heldFetch(fetch: ModelFetch, { until, left }: Hold): ModelFetch {
  return async (input, init) => {
    await until;
    const answer = fetch(input, init);
    left();
    return answer;
  };
}

/** Over what the SDK says of itself. */
function withHeaders(fetch: ModelFetch, own: Readonly<Record<string, string>>): ModelFetch {
  return (input, init) => {
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(own)) headers.set(name, value);
    return fetch(input, { ...init, headers });
  };
}
