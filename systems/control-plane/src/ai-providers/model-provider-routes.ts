/** Model providers over HTTP. Paths, schemas and permissions: libs/contract/src/http/ai-providers.ts. */
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/ai-providers";
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

export function modelProviderRoutes(deps: ModelProviderDeps): Route[] {
  return [
    route(contract.listModelProviders, async () => {
      const providers = await readModelProviders(deps);
      return ok({ providers: providers.map(toWire), count: providers.length });
    }),

    route(contract.createModelProvider, async ({ audit, body }) => {
      const { type, name, base_url: baseUrl, display_name: displayName = "" } = body;
      const { api_keys: apiKeys = [], enabled = true } = body;
      const wanted = { type, name, displayName, baseUrl, apiKeys, enabled };
      const added = await addModelProvider(deps, audit, wanted);
      return added.ok ? ok(toWire(added.value)) : added;
    }),

    route(contract.getModelProvider, async ({ params }) => {
      const found = await readModelProvider(deps, params.provider);
      return found.ok ? ok(toWire(found.value)) : found;
    }),

    route(contract.updateModelProvider, async ({ audit, params, body }) => {
      const { display_name: displayName, base_url: baseUrl, enabled, settings } = body;
      const patch = { displayName, baseUrl, enabled, settings, apiKeys: body.api_keys };
      const changed = await changeModelProvider(deps, audit, { ref: params.provider, patch });
      return changed.ok ? ok(toWire(changed.value)) : changed;
    }),

    route(contract.deleteModelProvider, ({ audit, params }) =>
      dropModelProvider(deps, audit, params.provider),
    ),
  ];
}

function toWire({ provider, error }: ReportedProvider): z.input<typeof contract.ModelProvider> {
  const state = error !== null ? "error" : provider.enabled ? "enabled" : "disabled";
  return {
    id: provider.id,
    type: provider.type,
    name: provider.name,
    display_name: provider.displayName,
    enabled: provider.enabled,
    base_url: provider.baseUrl,
    api_keys: provider.keys.map(({ id, masked, createdAt }) => ({
      id,
      masked,
      created_at: createdAt.toISOString(),
    })),
    settings: {},
    status: { state, warnings: error === null ? [] : [error] },
    created_at: provider.createdAt.toISOString(),
    updated_at: provider.updatedAt.toISOString(),
  };
}
