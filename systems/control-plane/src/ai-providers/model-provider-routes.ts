/** Model providers over HTTP. Paths, schemas and permissions: libs/contract/src/http/ai-providers.ts. */
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/ai-providers";
import type { BreakerHealth, ProviderKeyHealth } from "@atelier/contract/rpc/gateway-ports";
import type { z } from "zod";
import { route, type Route } from "../http/route.ts";
import {
  addModelProvider,
  changeModelProvider,
  dropModelProvider,
  readModelProvider,
  readModelProviders,
  type ModelProviderDeps,
  type ReportedProvider,
} from "./model-provider-actions.ts";
import type { ModelProviderKey } from "./model-provider.ts";
import { keyPolicyFields, type KeyPolicyPatch } from "./provider-key-policy.ts";
import { orderProviderKeys, resetProviderKey, switchProviderKey } from "./provider-key-actions.ts";

export function modelProviderRoutes(deps: ModelProviderDeps): Route[] {
  return [
    route(contract.listModelProviders, async () => {
      const providers = await readModelProviders(deps);
      return ok({ providers: providers.map(toWire), count: providers.length });
    }),

    route(contract.createModelProvider, async ({ audit, body }) => {
      const { type, name, base_url: baseUrl, display_name: displayName = "" } = body;
      const { api_keys: apiKeys = [], settings = {}, enabled = true } = body;
      const { max_concurrency_per_key: keyConcurrencyMax = null } = body;
      const keys = { apiKeys, keyConcurrencyMax, keyPolicy: keyPolicyIn(body) };
      const wanted = { type, name, displayName, baseUrl, ...keys, settings, enabled };
      const added = await addModelProvider(deps, audit, wanted);
      return added.ok ? ok(toWire(added.value)) : added;
    }),

    route(contract.getModelProvider, async ({ params }) => {
      const found = await readModelProvider(deps, params.provider);
      return found.ok ? ok(toWire(found.value)) : found;
    }),

    route(contract.updateModelProvider, async ({ audit, params, body }) => {
      const { display_name: displayName, base_url: baseUrl, enabled, settings } = body;
      const { api_keys: apiKeys, max_concurrency_per_key: keyConcurrencyMax } = body;
      const keys = { apiKeys, keyConcurrencyMax, keyPolicy: keyPolicyIn(body) };
      const patch = { displayName, baseUrl, enabled, settings, ...keys };
      const ifUpdatedAt = body.if_updated_at === undefined ? null : new Date(body.if_updated_at);
      const wanted = { ref: params.provider, patch, ifUpdatedAt };
      const changed = await changeModelProvider(deps, audit, wanted);
      return changed.ok ? ok(toWire(changed.value)) : changed;
    }),

    route(contract.deleteModelProvider, ({ audit, params }) =>
      dropModelProvider(deps, audit, params.provider),
    ),

    route(contract.orderModelProviderKeys, async ({ audit, params, body }) => {
      const wanted = { ref: params.provider, keyIds: body.key_ids };
      const ordered = await orderProviderKeys(deps, audit, wanted);
      return ordered.ok ? ok(toWire(ordered.value)) : ordered;
    }),

    route(contract.updateModelProviderKey, async ({ audit, params, body }) => {
      const wanted = { ref: params, isEnabled: body.enabled };
      const switched = await switchProviderKey(deps, audit, wanted);
      return switched.ok ? ok(toWire(switched.value)) : switched;
    }),

    route(contract.resetModelProviderKey, ({ audit, params }) =>
      resetProviderKey(deps, audit, params),
    ),
  ];
}

function keyPolicyIn(body: KeyPolicyPatch): KeyPolicyPatch {
  const { central_api_key_enabled, allow_user_api_key, allow_central_api_key_fallback } = body;
  return { central_api_key_enabled, allow_user_api_key, allow_central_api_key_fallback };
}

function toWire(reported: ReportedProvider): z.input<typeof contract.ModelProvider> {
  const { provider, settings, error, keys, breakers, waiting } = reported;
  const state = error !== null ? "error" : provider.enabled ? "enabled" : "disabled";
  return {
    id: provider.id,
    type: provider.type,
    name: provider.name,
    display_name: provider.displayName,
    enabled: provider.enabled,
    base_url: provider.baseUrl,
    api_keys: provider.keys.map((key) => {
      const health = keys.find(({ keyId }) => keyId === key.id);
      return keyToWire(key, key.disabledAt === null ? health : undefined);
    }),
    max_concurrency_per_key: provider.keyConcurrencyMax,
    ...keyPolicyFields(provider.keyPolicy),
    settings: settings.plain,
    settings_masked: settings.masked,
    status: {
      state,
      warnings: error === null ? [] : [error],
      breakers: breakers.map(breakerToWire),
      waiting,
    },
    created_at: provider.createdAt.toISOString(),
    updated_at: provider.updatedAt.toISOString(),
  };
}

function keyToWire(
  key: ModelProviderKey,
  health: ProviderKeyHealth | undefined,
): z.input<typeof contract.ModelProviderKey> {
  const lastError = health?.lastError ?? null;
  return {
    id: key.id,
    masked: key.masked,
    enabled: key.disabledAt === null,
    state: health?.state ?? "unknown",
    last_error:
      lastError === null
        ? null
        : {
            status: lastError.status,
            message: lastError.message,
            at: lastError.at.toISOString(),
          },
    returns_at: health?.returnsAt?.toISOString() ?? null,
    under_way: health?.underWay ?? null,
    last_checked_at: health?.lastCheckedAt?.toISOString() ?? null,
    created_at: key.createdAt.toISOString(),
  };
}

function breakerToWire(breaker: BreakerHealth): z.input<typeof contract.ModelProviderBreaker> {
  const { endpoint, model, state, retriesAt } = breaker;
  return { endpoint, model, state, retries_at: retriesAt.toISOString() };
}
