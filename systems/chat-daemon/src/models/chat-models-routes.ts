/** Models for chats as a service: libs/contract/src/http/chat-models.ts. */
import { fail, ok } from "@atelier/base/result";
import type * as contract from "@atelier/contract/http/chat-models";
import type { EndpointService, ServiceCaller } from "@atelier/contract/rpc/endpoint-service";
import type { z } from "zod";
import { allowedEfforts } from "./call-settings.ts";
import {
  changeModelConfig,
  createModelConfig,
  dropModelConfig,
  findOrganization,
  readModels,
  type ModelConfigDeps,
  type SeenModels,
  type SeenProvider,
} from "./model-config-actions.ts";
import { isChatProvider, providerWarnings, type ModelConfig } from "./model-config.ts";
import {
  readOverrides,
  readUserOverrides,
  setOverride,
  setUserOverride,
} from "./model-override-actions.ts";
import type { StoredOverride, StoredUserOverride } from "./model-override.ts";

type Service = EndpointService<typeof contract.CHAT_MODEL_ENDPOINTS>;

const NOT_FOUND = fail({ code: "resource.not_found" } as const);

export function chatModelsService(deps: ModelConfigDeps): Service {
  return { ...modelsService(deps), ...overridesService(deps) };
}

type Overrides =
  | "listModelOverrides"
  | "setModelOverride"
  | "listUserModelOverrides"
  | "setUserModelOverride";

function modelsService(deps: ModelConfigDeps): Omit<Service, Overrides> {
  return {
    listChatModels: async ({ caller, params }) => {
      const organizationId = await findOrganization(deps, params.organization);
      if (organizationId === undefined || !mayUseChats(caller)) return NOT_FOUND;
      const seen = await readModels(deps, { organizationId, userId: caller.userId });
      const models = visibleModels(seen, caller);
      const providers = seen.providers.map((each) => providerToWire(each, seen));
      return ok({
        models,
        count: models.length,
        providers: providers.filter(isChatProvider),
        unsupported_providers: providers.filter((each) => !isChatProvider(each)),
      });
    },

    getChatModel: async ({ caller, params }) => {
      const organizationId = await findOrganization(deps, params.organization);
      if (organizationId === undefined || !mayUseChats(caller)) return NOT_FOUND;
      const seen = await readModels(deps, { organizationId, userId: caller.userId });
      const model = visibleModels(seen, caller).find(({ id }) => id === params.model);
      return model === undefined ? NOT_FOUND : ok(model);
    },

    createChatModel: async ({ caller, params, body, audit }) => {
      const organizationId = await findOrganization(deps, params.organization);
      if (organizationId === undefined) return NOT_FOUND;
      const change = { userId: caller.userId, audit };
      const created = await createModelConfig(deps, change, organizationId, {
        aiProviderId: body.ai_provider_id,
        model: body.model,
        contextLimit: body.context_limit,
        displayName: body.display_name ?? "",
        enabled: body.enabled,
        isDefault: body.is_default,
        compressionThreshold: body.compression_threshold,
        options: body.options ?? {},
      });
      return created.ok ? ok(await seenBy(deps, caller, created.value)) : created;
    },

    updateChatModel: async ({ caller, params, body, audit }) => {
      const organizationId = await findOrganization(deps, params.organization);
      if (organizationId === undefined) return NOT_FOUND;
      const ref = { organizationId, modelId: params.model };
      const changed = await changeModelConfig(deps, { userId: caller.userId, audit }, ref, {
        aiProviderId: body.ai_provider_id,
        model: body.model,
        contextLimit: body.context_limit,
        displayName: body.display_name,
        enabled: body.enabled,
        isDefault: body.is_default,
        compressionThreshold: body.compression_threshold,
        options: body.options,
      });
      return changed.ok ? ok(await seenBy(deps, caller, changed.value)) : changed;
    },

    deleteChatModel: async ({ caller, params, audit }) => {
      const organizationId = await findOrganization(deps, params.organization);
      if (organizationId === undefined) return NOT_FOUND;
      const ref = { organizationId, modelId: params.model };
      return dropModelConfig(deps, { userId: caller.userId, audit }, ref);
    },
  };
}

function overridesService(deps: ModelConfigDeps): Pick<Service, Overrides> {
  return {
    listModelOverrides: async ({ params }) => {
      const organizationId = await findOrganization(deps, params.organization);
      if (organizationId === undefined) return NOT_FOUND;
      const overrides = await readOverrides(deps, organizationId);
      return ok({ overrides: overrides.map(overrideToWire) });
    },

    setModelOverride: async ({ caller, params, body, audit }) => {
      const organizationId = await findOrganization(deps, params.organization);
      if (organizationId === undefined) return NOT_FOUND;
      return setOverride(deps, { userId: caller.userId, audit }, organizationId, {
        context: params.context,
        modelConfigId: body.model_config_id === "" ? null : body.model_config_id,
        effort: body.reasoning_effort ?? null,
      });
    },

    listUserModelOverrides: async ({ subjectId, params }) => {
      const organizationId = await findOrganization(deps, params.organization);
      if (organizationId === undefined || subjectId === null) return NOT_FOUND;
      const overrides = await readUserOverrides(deps, { userId: subjectId, organizationId });
      const isAllowed = await deps.arePersonalModelsAllowed();
      return ok({ overrides: overrides.map(userOverrideToWire), is_allowed: isAllowed });
    },

    setUserModelOverride: async ({ caller, subjectId, params, body, audit }) => {
      const organizationId = await findOrganization(deps, params.organization);
      if (organizationId === undefined || subjectId === null) return NOT_FOUND;
      const member = { userId: subjectId, organizationId };
      return setUserOverride(deps, { userId: caller.userId, audit }, member, {
        context: params.context,
        mode: body.mode,
        modelConfigId: body.model_config_id ?? null,
        effort: body.reasoning_effort ?? null,
      });
    },
  };
}

/** Whoever can have chats sees what there is for them. */
function mayUseChats(caller: ServiceCaller): boolean {
  return mayReadAll(caller) || caller.may("chat:create", caller.userId);
}

function mayReadAll(caller: ServiceCaller): boolean {
  return caller.may("chat_model:read", null);
}

function visibleModels(
  seen: SeenModels,
  caller: ServiceCaller,
): z.input<typeof contract.ChatModel>[] {
  const isFull = mayReadAll(caller);
  const models = seen.configs.map((config) => modelToWire(config, seen, isFull));
  return isFull ? models : models.filter(({ enabled, available }) => enabled && available);
}

async function seenBy(
  deps: ModelConfigDeps,
  { userId }: ServiceCaller,
  config: ModelConfig,
): Promise<z.input<typeof contract.ChatModel>> {
  const { organizationId } = config;
  return modelToWire(config, await readModels(deps, { organizationId, userId }), true);
}

function modelToWire(
  config: ModelConfig,
  { providers }: SeenModels,
  isFull: boolean,
): z.input<typeof contract.ChatModel> {
  const own = providers.find(({ provider }) => provider.id === config.aiProviderId);
  // A provider that was deleted is as good as disabled.
  const reason = own === undefined ? "provider_disabled" : own.standing.unavailable;
  const range = config.options.reasoning_effort;
  return {
    id: config.id,
    organization_id: config.organizationId,
    ai_provider_id: config.aiProviderId,
    provider: own?.provider.type ?? config.provider,
    model: config.model,
    display_name: config.displayName,
    enabled: config.enabled,
    is_default: config.isDefault,
    context_limit: config.contextLimit,
    compression_threshold: config.compressionThreshold,
    reasoning_efforts: [...allowedEfforts(range)],
    ...(range === undefined ? {} : { default_reasoning_effort: range.default }),
    available: reason === null,
    ...(reason === null ? {} : { unavailable_reason: reason }),
    ...(isFull ? { options: config.options } : {}),
    created_at: config.createdAt.toISOString(),
    updated_at: config.updatedAt.toISOString(),
  };
}

function providerToWire(
  { provider, standing }: SeenProvider,
  { areOwnKeysAllowed }: SeenModels,
): z.input<typeof contract.ChatModelProvider> {
  return {
    id: provider.id,
    name: provider.name,
    type: provider.type,
    display_name: provider.displayName,
    enabled: provider.enabled,
    has_api_key: provider.hasCentralCredentials,
    has_user_api_key: standing.hasOwnKey,
    has_effective_api_key: standing.hasEffectiveKey,
    allow_user_api_key: areOwnKeysAllowed && provider.keyPolicy.areUserKeysAllowed,
    available: standing.unavailable === null,
    ...(standing.unavailable === null ? {} : { unavailable_reason: standing.unavailable }),
    warnings: [...providerWarnings(provider)],
  };
}

function overrideToWire({ context, modelConfigId, effort }: StoredOverride) {
  return {
    context,
    model_config_id: modelConfigId,
    ...(effort === null ? {} : { reasoning_effort: effort }),
  };
}

function userOverrideToWire({ context, mode, modelConfigId, effort }: StoredUserOverride) {
  return {
    context,
    mode,
    ...(modelConfigId === null ? {} : { model_config_id: modelConfigId }),
    ...(effort === null ? {} : { reasoning_effort: effort }),
  };
}
