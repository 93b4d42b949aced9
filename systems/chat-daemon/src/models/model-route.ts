/**
 * How a model is reached (spec agents 8.1): directly with keys, or through this server's gateway. A
 * route is plain data that is handed on, and prints without credentials.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import type { ChatModelCallConfig } from "@atelier/contract/chat/model-call-config";
import type { ChatProvider } from "@atelier/contract/rpc/chat-ports";
import type { Hold, ModelFetch, ProviderAuth } from "@atelier/contract/rpc/model-transport";
import { routeFailure, type ModelFailure } from "./model-failure.ts";
import { ProviderKeys } from "./provider-keys.ts";

export type ResolvedModelRoute =
  /** Nothing is decided: every use of it is an error. */
  | { readonly kind: "unset" }
  | { readonly kind: "direct"; readonly providerHint: string; readonly keys: ProviderKeys }
  | {
      readonly kind: "ai_gateway";
      readonly provider: ChatProvider | null;
      readonly modelProviderHint: string;
      readonly providerAuth: ProviderAuth;
    };

/** What of a model's configuration decides the route. */
export type RoutedModel = {
  readonly id: string;
  readonly aiProviderId: string | null;
  /** Where there is no provider: of which type it is. */
  readonly provider: string;
  readonly model: string;
};

/** The chat on whose behalf a model is called. */
export type ModelChat = {
  readonly ownerId: string;
  /** Null: the call belongs to no chat. */
  readonly id: string | null;
  readonly parentId: string | null;
  readonly rootId: string | null;
  readonly workspaceId: string | null;
};

export type ModelClientRequest = {
  readonly chat: ModelChat;
  readonly modelName: string;
  readonly userAgent: string;
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly callConfig: ChatModelCallConfig;
};

export type ModelBuildOptions = {
  /** The API key that the turn's message came with. Empty: none is known. */
  readonly activeApiKeyId: string;
  /** Looks on at what is sent and answered. It never changes the route. `known`: keys that may go with it. */
  readonly recordHttp: ((fetch: ModelFetch, known: readonly Secret[]) => ModelFetch) | null;
  /** Null: what is asked for may leave. */
  readonly hold: Hold | null;
};

export const ROUTE_UNSET: ModelFailure = routeFailure("config", "model route is not configured");

export function providerHint(route: ResolvedModelRoute): Result<string, ModelFailure> {
  if (route.kind === "unset") return fail(ROUTE_UNSET);
  return ok(route.kind === "direct" ? route.providerHint : route.modelProviderHint);
}

/** A changed copy. */
export function withProviderHint(route: ResolvedModelRoute, hint: string): ResolvedModelRoute {
  if (route.kind === "unset") return route;
  return route.kind === "direct"
    ? { ...route, providerHint: hint }
    : { ...route, modelProviderHint: hint };
}

/** None for the gateway's routes, so that no key can come into them. */
export function directProviderKeys(route: ResolvedModelRoute): ProviderKeys {
  return route.kind === "direct" ? route.keys : ProviderKeys.none;
}

/** What every call says of itself (spec agents 8.6). The gateway takes it off again. */
export function identityHeaders(chat: ModelChat): Readonly<Record<string, string>> {
  const above = chat.rootId ?? chat.parentId;
  return {
    "x-coder-owner-id": chat.ownerId,
    ...(chat.id === null ? {} : { "x-coder-chat-id": above ?? chat.id }),
    ...(chat.id === null || above === null ? {} : { "x-coder-subchat-id": chat.id }),
    ...(chat.workspaceId === null ? {} : { "x-coder-workspace-id": chat.workspaceId }),
  };
}

export function agentsUserAgent(host: {
  readonly version: string;
  readonly platform: string;
  readonly architecture: string;
}): string {
  return `atelier-agents/${host.version} (${host.platform}/${host.architecture})`;
}
