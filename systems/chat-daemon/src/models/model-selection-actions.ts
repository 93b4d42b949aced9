/**
 * Which model serves (spec agents 8.9, 8.10): the chat's own, the organization's default, or one that
 * somebody chose for certain work. Reads what is stored each time, unless it is given what was just read.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { ModelOverrideContext } from "@atelier/contract/http/chat-models";
import type { Database } from "@atelier/database/database";
import { standingOf, type ModelConfig } from "./model-config.ts";
import { listModelConfigs } from "./model-config-store.ts";
import { routeFailure, type ModelFailure } from "./model-failure.ts";
import { listUserOverrides } from "./model-override-store.ts";
import type {
  ChosenModel,
  ComputerUseModel,
  FailureMode,
  ModelUser,
  OverrideChoice,
  OverrideModes,
} from "./model-router.ts";
import {
  resolveModelRouteForConfig,
  resolveModelRouteForProviderType,
  type RoutingDeps,
} from "./model-routing-actions.ts";
import { providerHint } from "./model-route.ts";
import {
  COMPUTER_USE_MODELS,
  isLightModel,
  parseProviderType,
  type ComputerUseProvider,
} from "./provider-names.ts";
import { storedModels } from "./stored-models-store.ts";
import type { StoredModels } from "./stored-models.ts";

export type SelectionDeps = RoutingDeps & {
  readonly database: Database;
  /** Whether what people chose for their own chats counts. */
  readonly arePersonalModelsAllowed: () => Promise<boolean>;
};
type ChoiceDeps = SelectionDeps & { readonly stored: StoredModels };

const NO_DEFAULT = routeFailure(
  "config",
  "No model is configured for chats.",
  "Ask an administrator to add one.",
);

export async function chooseModelOfChat(
  given: SelectionDeps,
  user: ModelUser,
  chosen: { readonly modelConfigId: string; readonly effort: ReasoningEffort | null },
  stored?: StoredModels,
): Promise<Result<ChosenModel, ModelFailure>> {
  const deps = forOneChoice(given, stored);
  const own = await findUsable(deps, user, chosen.modelConfigId);
  const config = own ?? (await findUsableDefault(deps, user));
  return config === undefined ? fail(NO_DEFAULT) : routed(deps, user, config, chosen.effort);
}

export async function chooseModelForNewChat(
  given: SelectionDeps,
  user: ModelUser,
): Promise<Result<ModelConfig, ModelFailure>> {
  const deps = forOneChoice(given);
  const own = await findUserOverride(deps, user, "root");
  const wanted =
    own?.modelConfigId === undefined || own.modelConfigId === null
      ? undefined
      : await findUsable(deps, user, own.modelConfigId);
  const config = wanted ?? (await findUsableDefault(deps, user));
  return config === undefined ? fail(NO_DEFAULT) : ok(config);
}

/** A person's own choice goes before the organization's, where there is one for such work. */
export async function chooseOverride(
  given: SelectionDeps,
  user: ModelUser,
  asked: { readonly context: ModelOverrideContext; readonly modes: OverrideModes },
  read?: StoredModels,
): Promise<Result<OverrideChoice, ModelFailure>> {
  const { context, modes } = asked;
  const deps = forOneChoice(given, read);
  const stored = await attempt(modes.query, "read the chosen model", () =>
    findStored(deps, user, context),
  );
  if (!stored.ok) return unusable(modes.query, stored.failure);
  if (stored.value === null) return ok({ kind: "unset" });
  const { modelConfigId, effort } = stored.value;
  const config = await attempt(modes.query, "read the chosen model", () =>
    deps.stored.findConfig(modelConfigId),
  );
  if (!config.ok) return unusable(modes.query, config.failure);
  const obstacle = await attempt(modes.provider, "read the model's provider", () =>
    whyUnusable(deps, user, config.value),
  );
  if (!obstacle.ok) return unusable(modes.provider, obstacle.failure);
  if (config.value === undefined || obstacle.value !== null) {
    return unusable(modes.config, obstacle.value ?? NO_DEFAULT);
  }
  const usable = config.value;
  const model = await attempt(modes.provider, "load the model's credentials", () =>
    routed(deps, user, usable, effort),
  );
  if (!model.ok) return unusable(modes.provider, model.failure);
  return model.value.ok
    ? ok({ kind: "model", model: model.value.value })
    : unusable(modes.provider, model.value.failure);
}

/** Of the same provider: no other hears what a chat is about, and the same key serves. */
export async function chooseLightModel(
  { database }: Pick<SelectionDeps, "database">,
  own: ChosenModel,
): Promise<ChosenModel | null> {
  const { aiProviderId, organizationId, model } = own.config;
  const hint = providerHint(own.route);
  const type = hint.ok ? parseProviderType(hint.value) : null;
  if (aiProviderId === null || type === null || isLightModel(type, model)) return null;
  const configs = await listModelConfigs(database.sql, organizationId);
  const config = configs.find(
    (each) => each.enabled && each.aiProviderId === aiProviderId && isLightModel(type, each.model),
  );
  return config === undefined ? null : { config, effort: null, route: own.route };
}

/** A fixed model, at a provider for which there is a key: known before a chat for it is begun. */
export async function chooseComputerUseModel(
  deps: RoutingDeps,
  ownerId: string,
  provider: ComputerUseProvider,
): Promise<Result<ComputerUseModel, ModelFailure>> {
  const noKey = routeFailure(
    "missing_key",
    `API key for computer-use provider "${provider}" is not configured`,
  );
  const route = await resolveModelRouteForProviderType(deps, ownerId, provider);
  if (!route.ok) return fail(noKey);
  if (route.value.kind === "ai_gateway" && route.value.provider !== null) {
    const ownKeys = await deps.catalog.providersWithOwnKey(ownerId);
    const standing = standingOf(route.value.provider, ownKeys, deps.catalog.areOwnKeysAllowed);
    if (standing.unavailable !== null) return fail(noKey);
  }
  return ok({ modelName: COMPUTER_USE_MODELS[provider], route: route.value });
}

/** One choice looks at a provider once: whether it is enabled, and how it is reached, are told of the same row. */
function forOneChoice(deps: SelectionDeps, stored?: StoredModels): ChoiceDeps {
  const { catalog } = deps;
  const found = new Map<string, ReturnType<typeof catalog.find>>();
  return {
    ...deps,
    stored: stored ?? storedModels(deps.database),
    catalog: {
      areOwnKeysAllowed: catalog.areOwnKeysAllowed,
      list: () => catalog.list(),
      find: (id) => {
        const finding = found.get(id) ?? catalog.find(id);
        found.set(id, finding);
        return finding;
      },
      providersWithOwnKey: (userId) => catalog.providersWithOwnKey(userId),
      directCredentials: (userId, providerId) => catalog.directCredentials(userId, providerId),
    },
  };
}

type Stored = { readonly modelConfigId: string; readonly effort: ReasoningEffort | null };

async function findStored(
  deps: ChoiceDeps,
  user: ModelUser,
  context: ModelOverrideContext,
): Promise<Stored | null> {
  if (context === "general" || context === "explore") {
    const own = await findUserOverride(deps, user, context);
    if (own?.mode === "chat_default") return null;
    if (own?.modelConfigId) return { modelConfigId: own.modelConfigId, effort: own.effort };
  }
  const all = await deps.stored.listOverrides(user.organizationId);
  return all.find((each) => each.context === context) ?? null;
}

/** Undefined also where people may not choose. */
async function findUserOverride(
  { database, arePersonalModelsAllowed }: SelectionDeps,
  { ownerId, organizationId }: ModelUser,
  context: "root" | "general" | "explore",
) {
  const all = await listUserOverrides(database.sql, { userId: ownerId, organizationId });
  const own = all.find((each) => each.context === context);
  return own !== undefined && (await arePersonalModelsAllowed()) ? own : undefined;
}

/** Null: it can be used, as far as is known before a call. */
async function whyUnusable(
  { catalog }: SelectionDeps,
  { ownerId, organizationId }: ModelUser,
  config: ModelConfig | undefined,
): Promise<ModelFailure | null> {
  if (config === undefined || config.organizationId !== organizationId) {
    return routeFailure("config", "The chosen model does not exist any more.");
  }
  if (!config.enabled) return routeFailure("config", "The chosen model is disabled.");
  if (config.aiProviderId === null) return null;
  const provider = await catalog.find(config.aiProviderId);
  if (provider === undefined || !provider.enabled) {
    return routeFailure("provider_disabled", "The chosen model's provider is disabled.");
  }
  const ownKeys = await catalog.providersWithOwnKey(ownerId);
  const { unavailable } = standingOf(provider, ownKeys, catalog.areOwnKeysAllowed);
  return unavailable === null
    ? null
    : routeFailure("missing_key", "There is no key for the chosen model.");
}

/** Enabled, at a provider that is: whether there is a key shows when a client is made. */
async function findUsable(
  deps: ChoiceDeps,
  { organizationId }: ModelUser,
  id: string,
): Promise<ModelConfig | undefined> {
  const config = await deps.stored.findConfig(id);
  const isOwn = config?.organizationId === organizationId;
  return isOwn && (await isEnabled(deps, config)) ? config : undefined;
}

async function findUsableDefault(
  deps: ChoiceDeps,
  { organizationId }: ModelUser,
): Promise<ModelConfig | undefined> {
  const config = await deps.stored.findDefault(organizationId);
  return config !== undefined && (await isEnabled(deps, config)) ? config : undefined;
}

async function isEnabled({ catalog }: SelectionDeps, config: ModelConfig): Promise<boolean> {
  if (!config.enabled) return false;
  if (config.aiProviderId === null) return true;
  return (await catalog.find(config.aiProviderId))?.enabled === true;
}

async function routed(
  deps: SelectionDeps,
  { ownerId }: ModelUser,
  config: ModelConfig,
  effort: ReasoningEffort | null,
): Promise<Result<ChosenModel, ModelFailure>> {
  const route = await resolveModelRouteForConfig(deps, ownerId, config);
  return route.ok ? ok({ config, effort, route: route.value }) : route;
}

/** Where a failure is hard, what was thrown goes on as it is: it may be a database that is away. */
async function attempt<T>(
  mode: FailureMode,
  what: string,
  work: () => Promise<T>,
): Promise<Result<T, ModelFailure>> {
  try {
    return ok(await work());
  } catch (error) {
    if (mode === "hard") throw error;
    return fail(routeFailure("generic", `could not ${what}`));
  }
}

function unusable(mode: FailureMode, failure: ModelFailure): Result<OverrideChoice, ModelFailure> {
  return mode === "hard" ? fail(failure) : ok({ kind: "unusable", failure });
}
