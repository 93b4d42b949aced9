/**
 * What administrators do with models for chats, and what people see of them. An organization with models
 * has exactly one default at any time. Each change commits with its audit entry.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { fail, ok, type Result } from "@atelier/base/result";
import type { ChatModelCallConfig } from "@atelier/contract/chat/model-call-config";
import type { Failure } from "@atelier/contract/failures";
import type {
  ChatPeople,
  ChatProvider,
  ChatProviderCatalog,
} from "@atelier/contract/rpc/chat-ports";
import type { ServiceAudit } from "@atelier/contract/rpc/endpoint-service";
import type { Database, Sql } from "@atelier/database/database";
import {
  auditedModel,
  defaultCompressionThreshold,
  electDefault,
  isChatProvider,
  standingOf,
  type ModelConfig,
  type ProviderStanding,
} from "./model-config.ts";
import {
  deleteModelConfig,
  findModelConfig,
  insertModelConfig,
  listModelConfigs,
  lockModelConfigs,
  updateDefaultModelConfig,
  updateModelConfig,
} from "./model-config-store.ts";
import { deleteUserOverridesOf, listOverrides } from "./model-override-store.ts";

export type ModelConfigDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly catalog: ChatProviderCatalog;
  readonly people: ChatPeople;
  /** Whether people choose models for their own chats. */
  readonly arePersonalModelsAllowed: () => Promise<boolean>;
};

/** Who changes something, and where it is written down. */
export type Change = { readonly userId: string; readonly audit: ServiceAudit };

export type ModelRef = { readonly organizationId: string; readonly modelId: string };

export type NewModelConfig = {
  readonly aiProviderId: string;
  readonly model: string;
  readonly contextLimit: number;
  readonly displayName: string;
  readonly enabled: boolean;
  readonly isDefault: boolean;
  /** Undefined: by the size of the context. */
  readonly compressionThreshold: number | undefined;
  readonly options: ChatModelCallConfig;
};
type ModelPatch = { readonly [Name in keyof NewModelConfig]?: NewModelConfig[Name] | undefined };

type NotFound = Failure<"resource.not_found">;
type Invalid = Failure<"request.invalid">;

/** Undefined: there is no such organization. */
export async function findOrganization(
  { people }: Pick<ModelConfigDeps, "people">,
  ref: string,
): Promise<string | undefined> {
  const id = await people.defaultOrganizationId();
  return ref === "default" || ref === id ? id : undefined;
}

export type SeenModels = {
  readonly configs: readonly ModelConfig[];
  readonly providers: readonly SeenProvider[];
  readonly areOwnKeysAllowed: boolean;
};
export type SeenProvider = { readonly provider: ChatProvider; readonly standing: ProviderStanding };

/** All of them, with how they stand for this person. */
export async function readModels(
  deps: Pick<ModelConfigDeps, "database" | "catalog" | "log">,
  { organizationId, userId }: { readonly organizationId: string; readonly userId: string },
): Promise<SeenModels> {
  const { catalog, database, log } = deps;
  const [configs, providers, ownKeys] = await Promise.all([
    listModelConfigs(database.sql, organizationId),
    catalog.list(),
    catalog.providersWithOwnKey(userId).catch((error: unknown) => {
      log.warn({ error, userId }, "a person's provider keys could not be read");
      return null;
    }),
  ]);
  const { areOwnKeysAllowed } = catalog;
  const seen = providers.map((provider) => {
    const standing = standingOf(provider, ownKeys, areOwnKeysAllowed);
    return { provider, standing };
  });
  return { configs, providers: seen, areOwnKeysAllowed };
}

export async function createModelConfig(
  deps: ModelConfigDeps,
  { userId, audit }: Change,
  organizationId: string,
  wanted: NewModelConfig,
): Promise<Result<ModelConfig, Invalid>> {
  audit.attempted({ resourceId: null, target: wanted.model });
  const providers = await deps.catalog.list();
  const checked = checkProvider(providers, wanted.aiProviderId);
  if (!checked.ok) return checked;
  const now = deps.clock.now();
  const { isDefault, compressionThreshold, ...fields } = wanted;
  const config: ModelConfig = {
    ...fields,
    id: deps.random.uuid(),
    organizationId,
    provider: checked.value.type,
    compressionThreshold: compressionThreshold ?? defaultCompressionThreshold(wanted.contextLimit),
    isDefault: false,
    createdAt: now,
    updatedAt: now,
  };
  return deps.database.transaction(async (sql) => {
    await lockModelConfigs(sql, organizationId);
    await insertModelConfig(sql, config, userId);
    const wish = { wanted: isDefault ? config.id : null, unwanted: null };
    await settleDefault(sql, organizationId, { wish, providers });
    const created = { ...config, isDefault: await isDefaultNow(sql, config.id) };
    await audit.record(sql, { ...named(created), before: null, after: auditedModel(created) });
    return ok(created);
  });
}

export async function changeModelConfig(
  deps: ModelConfigDeps,
  { userId, audit }: Change,
  { organizationId, modelId }: ModelRef,
  patch: ModelPatch,
): Promise<Result<ModelConfig, Invalid | NotFound>> {
  audit.attempted({ resourceId: null, target: modelId });
  const providers = await deps.catalog.list();
  return deps.database.transaction(async (sql) => {
    await lockModelConfigs(sql, organizationId);
    const before = await findOwn(sql, { organizationId, modelId });
    if (before === undefined) return fail({ code: "resource.not_found" });
    audit.attempted(named(before));
    const { isDefault, ...fields } = patch;
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    const updatedAt = deps.clock.now();
    let after: ModelConfig = { ...before, ...Object.fromEntries(given), updatedAt };
    if (patch.aiProviderId !== undefined && patch.aiProviderId !== before.aiProviderId) {
      const checked = checkProvider(providers, patch.aiProviderId);
      if (!checked.ok) return checked;
      after = { ...after, provider: checked.value.type };
    }
    await updateModelConfig(sql, after, userId);
    const wish = {
      wanted: isDefault === true ? modelId : null,
      unwanted: isDefault === false ? modelId : null,
    };
    await settleDefault(sql, organizationId, { wish, providers });
    const changed = { ...after, isDefault: await isDefaultNow(sql, modelId) };
    await audit.record(sql, {
      ...named(changed),
      before: auditedModel(before),
      after: auditedModel(changed),
    });
    return ok(changed);
  });
}

export async function dropModelConfig(
  deps: ModelConfigDeps,
  { userId, audit }: Change,
  { organizationId, modelId }: ModelRef,
): Promise<Result<undefined, NotFound | Failure<"chat_model.in_use">>> {
  audit.attempted({ resourceId: null, target: modelId });
  const providers = await deps.catalog.list();
  return deps.database.transaction(async (sql) => {
    await lockModelConfigs(sql, organizationId);
    const before = await findOwn(sql, { organizationId, modelId });
    if (before === undefined) return fail({ code: "resource.not_found" });
    audit.attempted(named(before));
    const overrides = await listOverrides(sql, organizationId);
    const needing = overrides.filter(({ modelConfigId }) => modelConfigId === modelId);
    if (needing.length > 0) {
      const contexts = needing.map(({ context }) => context).join(", ");
      return fail({ code: "chat_model.in_use", detail: `It serves: ${contexts}.` });
    }
    await deleteModelConfig(sql, modelId, { deletedAt: deps.clock.now(), deletedBy: userId });
    await deleteUserOverridesOf(sql, modelId);
    const wish = { wanted: null, unwanted: null };
    await settleDefault(sql, organizationId, { wish, providers });
    await audit.record(sql, { ...named(before), before: auditedModel(before), after: null });
    return ok(undefined);
  });
}

function checkProvider(
  providers: readonly ChatProvider[],
  id: string,
): Result<ChatProvider, Invalid> {
  const provider = providers.find((each) => each.id === id);
  if (provider !== undefined && isChatProvider(provider)) return ok(provider);
  const detail =
    provider === undefined
      ? "There is no such model provider."
      : `Chats cannot use model providers of type "${provider.type}".`;
  return fail({ code: "request.invalid", validations: [{ field: "ai_provider_id", detail }] });
}

async function settleDefault(
  sql: Sql,
  organizationId: string,
  by: {
    readonly wish: Parameters<typeof electDefault>[1];
    readonly providers: readonly ChatProvider[];
  },
): Promise<void> {
  const enabled = new Set(by.providers.filter((each) => each.enabled).map(({ id }) => id));
  const configs = await listModelConfigs(sql, organizationId);
  const elected = electDefault(configs, by.wish, (id) => id !== null && enabled.has(id));
  if (elected !== null) await updateDefaultModelConfig(sql, organizationId, elected);
}

async function isDefaultNow(sql: Sql, id: string): Promise<boolean> {
  return (await findModelConfig(sql, id))?.isDefault === true;
}

async function findOwn(
  sql: Sql,
  { organizationId, modelId }: ModelRef,
): Promise<ModelConfig | undefined> {
  const config = await findModelConfig(sql, modelId);
  return config?.organizationId === organizationId ? config : undefined;
}

function named({ id, model, displayName }: ModelConfig): { resourceId: string; target: string } {
  return { resourceId: id, target: displayName === "" ? model : displayName };
}
