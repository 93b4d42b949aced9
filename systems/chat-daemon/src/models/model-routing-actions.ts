/**
 * Decides how a model is reached: one boolean chooses between the gateway and direct calls (spec agents
 * 8.2, 8.3). What is not there or switched off is refused here; what cannot be known throws.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { keyPolicyHere, mayCentralServe } from "@atelier/contract/chat/provider-key-choice";
import type { ChatProvider, ChatProviderCatalog } from "@atelier/contract/rpc/chat-ports";
import { ProviderAuth, type ProviderAuthSource } from "@atelier/contract/rpc/model-transport";
import { routeFailure, type ModelFailure } from "./model-failure.ts";
import type { ResolvedModelRoute, RoutedModel } from "./model-route.ts";
import { accessOf, ProviderKeys, type DirectAccess } from "./provider-keys.ts";
import { missingKey, parseProviderType, type ChatProviderType } from "./provider-names.ts";

export type RoutingDeps = {
  readonly catalog: ChatProviderCatalog;
  readonly providerAuth: ProviderAuthSource;
  /** The gateway is enabled on this deployment, and chats are to use it. */
  readonly isGatewayRoutingEnabled: boolean;
};

type Route = Result<ResolvedModelRoute, ModelFailure>;

export function resolveModelRouteForConfig(
  deps: RoutingDeps,
  ownerId: string,
  config: RoutedModel,
  fallbackKeys: ProviderKeys = ProviderKeys.none,
): Promise<Route> {
  return deps.isGatewayRoutingEnabled
    ? gatewayRouteForConfig(deps, ownerId, config)
    : directRouteForConfig(deps, ownerId, config, fallbackKeys);
}

export function resolveModelRouteForProviderType(
  deps: RoutingDeps,
  ownerId: string,
  type: string,
): Promise<Route> {
  return deps.isGatewayRoutingEnabled
    ? gatewayRouteForProviderType(deps, ownerId, type)
    : directRouteForProviderType(deps, ownerId, type);
}

/** Settings may make one of Anthropic's providers one of Bedrock. */
export function effectiveType({ type, isBedrock }: ChatProvider): ChatProvider["type"] {
  return isBedrock ? "bedrock" : type;
}

async function gatewayRouteForConfig(
  deps: RoutingDeps,
  ownerId: string,
  config: RoutedModel,
): Promise<Route> {
  if (config.aiProviderId === null) {
    const { id, model } = config;
    const message = `AI Gateway routing requires AI provider metadata for model config ${id} (${model})`;
    return fail(routeFailure("config", message));
  }
  const provider = await findEnabled(deps, config.aiProviderId);
  return provider.ok ? gatewayRoute(deps, ownerId, provider.value) : provider;
}

async function gatewayRouteForProviderType(
  deps: RoutingDeps,
  ownerId: string,
  type: string,
): Promise<Route> {
  const provider = await findOfType(deps, type);
  if (provider === undefined) {
    const message = `AI Gateway routing requires a usable AI provider for provider type "${type}"`;
    return fail(routeFailure("config", message));
  }
  return gatewayRoute(deps, ownerId, provider);
}

/** The gateway knows nothing of the provider's policy for chats: it is kept to here. */
async function gatewayRoute(
  { providerAuth, catalog }: RoutingDeps,
  ownerId: string,
  provider: ChatProvider,
): Promise<Route> {
  const policy = keyPolicyHere(provider.keyPolicy, catalog.areOwnKeysAllowed);
  const auth = policy.areUserKeysAllowed
    ? await authOf(providerAuth, ownerId, provider)
    : ProviderAuth.none;
  if (auth.isNone && !mayCentralServe(policy)) {
    return fail(policy.areUserKeysAllowed ? OWN_KEY_NEEDED : NO_KEY_SERVES);
  }
  return ok({
    kind: "ai_gateway",
    provider,
    modelProviderHint: effectiveType(provider),
    providerAuth: auth,
  });
}

const OWN_KEY_NEEDED = routeFailure(
  "missing_key",
  "The model's provider takes only your own key, and there is none.",
);
const NO_KEY_SERVES = routeFailure(
  "missing_key",
  "The model's provider takes only people's own keys, and this deployment does not let them serve.",
);

async function authOf(
  source: ProviderAuthSource,
  ownerId: string,
  provider: ChatProvider,
): Promise<ProviderAuth> {
  try {
    return await source.authOf(ownerId, provider);
  } catch (cause) {
    const what = `resolve AI Gateway provider auth: get user AI provider key: ${textOf(cause)}`;
    throw new Error(what, { cause });
  }
}

async function directRouteForConfig(
  deps: RoutingDeps,
  ownerId: string,
  config: RoutedModel,
  fallbackKeys: ProviderKeys,
): Promise<Route> {
  if (config.aiProviderId !== null) {
    const provider = await findEnabled(deps, config.aiProviderId);
    if (!provider.ok) return provider;
    const entry = await keyEntry(deps, ownerId, provider.value);
    const keys = ProviderKeys.of(entry === null ? [] : [entry]);
    return ok({ kind: "direct", providerHint: effectiveType(provider.value), keys });
  }
  const type = parseProviderType(config.provider);
  const isServed = type !== null && fallbackKeys.isUsable(type);
  const keys = isServed ? fallbackKeys : await allKeys(deps, ownerId);
  return ok({ kind: "direct", providerHint: config.provider, keys });
}

async function directRouteForProviderType(
  deps: RoutingDeps,
  ownerId: string,
  text: string,
): Promise<Route> {
  const type = parseProviderType(text);
  if (type === null) return fail(routeFailure("config", `unknown provider "${text}"`));
  const provider = await findOfType(deps, type);
  if (provider === undefined) return fail(missingKey(type));
  const entry = await keyEntry(deps, ownerId, provider);
  const hint = parseProviderType(effectiveType(provider)) ?? type;
  const keys = ProviderKeys.of(entry === null ? [] : [entry]);
  if (!keys.isUsable(hint)) return fail(missingKey(hint));
  return ok({ kind: "direct", providerHint: hint, keys });
}

async function findEnabled(
  { catalog }: RoutingDeps,
  providerId: string,
): Promise<Result<ChatProvider, ModelFailure>> {
  const provider = await catalog.find(providerId);
  if (provider === undefined) {
    return fail(routeFailure("config", `get AI provider: there is no provider ${providerId}`));
  }
  if (!provider.enabled) {
    return fail(routeFailure("provider_disabled", `AI provider ${providerId} is disabled`));
  }
  return ok(provider);
}

/** By what a provider is in effect, and else by what it is called. */
async function findOfType(
  { catalog }: RoutingDeps,
  text: string,
): Promise<ChatProvider | undefined> {
  const type = parseProviderType(text) ?? text.trim().toLowerCase();
  const enabled = (await catalog.list()).filter((provider) => provider.enabled);
  return (
    enabled.find((provider) => effectiveType(provider) === type) ??
    enabled.find((provider) => provider.type === type)
  );
}

/** Null: a provider that chats do not know. */
async function keyEntry(
  { catalog }: RoutingDeps,
  ownerId: string,
  provider: ChatProvider,
): Promise<readonly [ChatProviderType, DirectAccess] | null> {
  const type = parseProviderType(effectiveType(provider));
  if (type === null) return null;
  return [type, accessOf(provider, await catalog.directCredentials(ownerId, provider.id))];
}

async function allKeys(deps: RoutingDeps, ownerId: string): Promise<ProviderKeys> {
  const enabled = (await deps.catalog.list()).filter((provider) => provider.enabled);
  const entries = await Promise.all(enabled.map((each) => keyEntry(deps, ownerId, each)));
  const usable = entries.filter(
    (entry) => entry !== null && (entry[1].key !== null || entry[1].bedrock !== null),
  );
  return ProviderKeys.of(usable.filter((entry) => entry !== null));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
