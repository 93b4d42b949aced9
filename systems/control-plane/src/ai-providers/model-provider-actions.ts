/**
 * Administering model providers (spec gateway 11). Each change commits with its audit entries and
 * with the notification that makes every server load it.
 */
import { assert } from "@atelier/base/assert";
import { maskCredential } from "@atelier/base/mask";
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import { USUAL_KEY_POLICY } from "@atelier/contract/chat/provider-key-choice";
import type { Failure, Validation } from "@atelier/contract/failures";
import type {
  ModelProviderSettings,
  ModelProviderSettingsPatch,
  ModelProviderType,
} from "@atelier/contract/http/ai-providers";
import type {
  BreakerHealth,
  GatewayHealth,
  ProviderKeyHealth,
} from "@atelier/contract/rpc/gateway-ports";
import type { Database, Sql } from "@atelier/database/database";
import { publish } from "@atelier/database/pub-sub";
import type { AuditDiff, AuditTrail } from "../audit/audit-trail.ts";
import { assertMaySeal } from "../vault/encryption-key-actions.ts";
import { VaultError, type Vault } from "../vault/vault.ts";
import {
  countProviderChange,
  deleteModelProvider,
  deleteModelProviderKeys,
  findModelProvider,
  insertModelProvider,
  insertModelProviderKey,
  listModelProviders,
  listSealedKeys,
  lockModelProvider,
  updateModelProvider,
  type SealedKeyRow,
} from "./model-provider-store.ts";
import {
  isKeyless,
  isSupportedType,
  parseModelProviderRef,
  planKeys,
  timeOfChange,
  type KeyPlan,
  type ModelProvider,
  type ModelProviderKey,
  type StoredKey,
  type WantedKey,
} from "./model-provider.ts";
import { changedKeyPolicy, keyPolicyFields, type KeyPolicyPatch } from "./provider-key-policy.ts";
import {
  checkSettingNames,
  checkSettings,
  diffSettings,
  mergeSettings,
  settledSettings,
  sealSettings,
  settingsOrNone,
  showSettings,
  type ShownSettings,
  type StoredSettings,
} from "./provider-settings.ts";
import { keySealedAt, PROVIDERS_CHANNEL, type ProviderStatus } from "./provider-snapshot.ts";

export type ModelProviderDeps = {
  readonly database: Database;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: Random;
  readonly status: ProviderStatus;
  readonly health: GatewayHealth;
};

/** What storing takes. */
type StoringDeps = Pick<ModelProviderDeps, "vault" | "clock" | "random">;

/** A provider with what this server makes of it. */
export type ReportedProvider = {
  readonly provider: ModelProvider;
  readonly settings: ShownSettings;
  /** Why it is left out. Null when it is not. */
  readonly error: string | null;
  /** Of the keys in service here. */
  readonly keys: readonly ProviderKeyHealth[];
  readonly breakers: readonly BreakerHealth[];
  /** Calls that wait here for a key. */
  readonly waiting: number;
};

export type NewModelProvider = {
  readonly type: ModelProviderType;
  readonly name: string;
  readonly displayName: string;
  readonly baseUrl: string;
  readonly apiKeys: readonly string[];
  readonly keyConcurrencyMax: number | null;
  /** Absent: the usual one. */
  readonly keyPolicy?: KeyPolicyPatch | undefined;
  readonly settings: ModelProviderSettings;
  readonly enabled: boolean;
};

/** Absent fields stay as they are. */
export type ModelProviderPatch = {
  readonly displayName?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly apiKeys?: readonly WantedKey[] | undefined;
  readonly keyConcurrencyMax?: number | null | undefined;
  readonly keyPolicy?: KeyPolicyPatch | undefined;
  readonly settings?: ModelProviderSettingsPatch | undefined;
};

export type WantedChange = {
  readonly ref: string;
  readonly patch: ModelProviderPatch;
  /** As the provider was when its asker read it. Null: they take it as it is now. */
  readonly ifUpdatedAt: Date | null;
};

export async function readModelProviders(
  deps: ModelProviderDeps,
): Promise<readonly ReportedProvider[]> {
  const providers = await deps.database.readOnlyTransaction((sql) => listModelProviders(sql));
  return providers.map((provider) => reported(deps, provider));
}

export async function readModelProvider(
  deps: ModelProviderDeps,
  refText: string,
): Promise<Result<ReportedProvider, Failure<"request.invalid" | "resource.not_found">>> {
  const found = await deps.database.readOnlyTransaction((sql) => findProvider(sql, refText));
  return found.ok ? ok(reported(deps, found.value)) : found;
}

export async function addModelProvider(
  deps: ModelProviderDeps,
  audit: AuditTrail,
  wanted: NewModelProvider,
): Promise<
  Result<
    ReportedProvider,
    Failure<"request.invalid" | "ai_provider.name_taken" | "ai_provider.type_unsupported">
  >
> {
  audit.attempted({ resourceId: null, target: wanted.name });
  const checked = checkNewProvider(wanted);
  if (!checked.ok) return checked;
  const added = await deps.database.transaction((sql) =>
    insertNewProvider(deps, { sql, audit }, wanted),
  );
  if (added === null) return fail({ code: "ai_provider.name_taken" });
  await deps.status.refresh();
  return ok(reported(deps, added));
}

/** Whether there can be such a provider. */
export function checkNewProvider(
  wanted: NewModelProvider,
): Result<undefined, Failure<"request.invalid" | "ai_provider.type_unsupported">> {
  const { type, settings, baseUrl } = wanted;
  if (!isSupportedType(type)) {
    const detail = `Type "${type}" is known, but the gateway cannot serve it yet.`;
    return fail({ code: "ai_provider.type_unsupported", detail });
  }
  const apiKeys = wanted.apiKeys.map((key) => ({ api_key: key }));
  const mistakes = checkByType(type, { ...wanted, apiKeys });
  mistakes.push(...checkSettings(type, settledSettings({}, settings), baseUrl));
  const plan = planKeys([], apiKeys);
  if (!plan.ok) mistakes.push(...plan.failure);
  const policy = changedKeyPolicy(wanted.keyPolicy ?? {});
  if (!policy.ok) mistakes.push(...policy.failure);
  return mistakes.length > 0
    ? fail({ code: "request.invalid", validations: mistakes })
    : ok(undefined);
}

/** One that was checked. Null: its name is taken. */
export async function insertNewProvider(
  deps: StoringDeps,
  { sql, audit }: { readonly sql: Sql; readonly audit: AuditTrail },
  wanted: NewModelProvider,
): Promise<ModelProvider | null> {
  const { type, name, displayName, baseUrl, enabled, keyConcurrencyMax } = wanted;
  const settings = mergeSettings({}, wanted.settings, deps.random);
  const now = deps.clock.now();
  const id = deps.random.uuid();
  const sealedSettings = await sealedForStore(deps, sql, { id, settings });
  const times = { createdAt: now, updatedAt: now };
  const policy = changedKeyPolicy(wanted.keyPolicy ?? {});
  assert(policy.ok, "it was checked");
  const keyPolicy = policy.value;
  const given = { type, name, displayName, baseUrl, enabled, keyConcurrencyMax, keyPolicy };
  const fields = { id, ...given, sealedSettings, ...times };
  if (!(await insertModelProvider(sql, fields))) return null;
  const secrets = wanted.apiKeys.map((key) => new Secret(key));
  const keys = await insertKeys(deps, sql, { providerId: id, secrets });
  const provider = { ...fields, keys };
  const change = { before: null, after: provider, keys: { ...NO_KEYS, added: keys } };
  await recordChange(deps, { sql, audit }, change);
  await announce(sql);
  return provider;
}

export async function changeModelProvider(
  deps: ModelProviderDeps,
  audit: AuditTrail,
  { ref, patch, ifUpdatedAt }: WantedChange,
): Promise<
  Result<
    ReportedProvider,
    Failure<"request.invalid" | "resource.not_found" | "ai_provider.changed_meanwhile">
  >
> {
  audit.attempted({ resourceId: null, target: ref });
  const { keyPolicy = {}, ...others } = patch;
  if (Object.values({ ...others, ...keyPolicy }).every((value) => value === undefined)) {
    return fail({ code: "request.invalid", detail: "At least one field must be provided." });
  }
  const changed = await deps.database.transaction(async (sql) => {
    const found = await findForChange(sql, ref);
    if (!found.ok) return found;
    audit.attempted({ resourceId: found.value.id, target: found.value.name });
    if (ifUpdatedAt !== null && ifUpdatedAt.getTime() !== found.value.updatedAt.getTime()) {
      return fail({ code: "ai_provider.changed_meanwhile" as const });
    }
    return applyPatch(deps, { sql, audit, before: found.value, patch });
  });
  if (!changed.ok) return changed;
  await deps.status.refresh();
  return ok(reported(deps, changed.value));
}

export async function dropModelProvider(
  deps: ModelProviderDeps,
  audit: AuditTrail,
  ref: string,
): Promise<Result<undefined, Failure<"request.invalid" | "resource.not_found">>> {
  audit.attempted({ resourceId: null, target: ref });
  const dropped = await deps.database.transaction(async (sql) => {
    const found = await findForChange(sql, ref);
    if (!found.ok) return found;
    const { id, keys } = found.value;
    // Nobody can use the keys of a deleted provider again, so they do not stay on the disk.
    await deleteModelProviderKeys(sql, id, keys.map((key) => key.id)); // prettier-ignore
    await deleteModelProvider(sql, id, deps.clock.now());
    const change = { before: found.value, after: null, keys: { ...NO_KEYS, removed: keys } };
    await recordChange(deps, { sql, audit }, change);
    await announce(sql);
    return ok(undefined);
  });
  if (dropped.ok) await deps.status.refresh();
  return dropped;
}

const NO_KEYS: KeyChange = { added: [], removed: [], kept: [] };

type KeyChange = {
  readonly added: readonly ModelProviderKey[];
  readonly removed: readonly ModelProviderKey[];
  readonly kept: readonly ModelProviderKey[];
};

export function reported(deps: ModelProviderDeps, provider: ModelProvider): ReportedProvider {
  const { id, enabled } = provider;
  return {
    provider,
    settings: showSettings(settingsOrNone(deps.vault, provider)),
    error: enabled ? deps.status.errorOf(id) : null,
    keys: deps.health.keysOf(id),
    breakers: deps.health.breakersOf(id),
    waiting: deps.health.waitingOf(id),
  };
}

export async function findProvider(
  sql: Sql,
  refText: string,
): Promise<Result<ModelProvider, Failure<"request.invalid" | "resource.not_found">>> {
  const ref = parseModelProviderRef(refText);
  if (ref === null) {
    const validations = [{ field: "provider", detail: "Neither an id nor a name of a provider." }];
    return fail({ code: "request.invalid", validations });
  }
  const provider = await findModelProvider(sql, ref);
  return provider === undefined ? fail({ code: "resource.not_found" }) : ok(provider);
}

/** Found, locked, and read again under the lock. */
export async function findForChange(sql: Sql, refText: string): ReturnType<typeof findProvider> {
  const found = await findProvider(sql, refText);
  if (!found.ok) return found;
  await lockModelProvider(sql, found.value.id);
  return findProvider(sql, found.value.id);
}

async function applyPatch(
  deps: ModelProviderDeps,
  change: {
    readonly sql: Sql;
    readonly audit: AuditTrail;
    readonly before: ModelProvider;
    readonly patch: ModelProviderPatch;
  },
): Promise<Result<ModelProvider, Failure<"request.invalid">>> {
  const { sql, audit, before, patch } = change;
  const mistakes = checkByType(before.type, patch);
  const policy = changedKeyPolicy(patch.keyPolicy ?? {}, before.keyPolicy);
  if (!policy.ok) mistakes.push(...policy.failure);
  if (!policy.ok || mistakes.length > 0) {
    return fail({ code: "request.invalid", validations: mistakes });
  }
  let keys: KeyChange = { ...NO_KEYS, kept: before.keys };
  if (patch.apiKeys !== undefined) {
    const stored = await listSealedKeys(sql, [before.id], { isEnabledOnly: false });
    const plan = planKeys(stored.map((key) => openProviderKey(deps.vault, key)), patch.apiKeys); // prettier-ignore
    if (!plan.ok) return fail({ code: "request.invalid", validations: plan.failure });
    keys = await applyKeyPlan(deps, sql, { providerId: before.id, plan: plan.value });
  }
  let { sealedSettings } = before;
  if (patch.settings !== undefined) {
    const stored = settingsOrNone(deps.vault, before);
    const settings = mergeSettings(stored, patch.settings, deps.random);
    const validations = checkSettings(before.type, settings, patch.baseUrl ?? before.baseUrl);
    if (validations.length > 0)
      return fail({ code: "request.invalid", validations: [...validations] });
    sealedSettings = await sealedForStore(deps, sql, { id: before.id, settings });
  }
  const after: ModelProvider = {
    ...before,
    sealedSettings,
    displayName: patch.displayName ?? before.displayName,
    baseUrl: patch.baseUrl ?? before.baseUrl,
    enabled: patch.enabled ?? before.enabled,
    keyConcurrencyMax:
      patch.keyConcurrencyMax === undefined ? before.keyConcurrencyMax : patch.keyConcurrencyMax,
    keyPolicy: policy.value,
    keys: [...keys.kept, ...keys.added],
    updatedAt: timeOfChange(before, deps.clock.now()),
  };
  await updateModelProvider(sql, after);
  await recordChange(deps, { sql, audit }, { before, after, keys });
  await announce(sql);
  return ok(after);
}

/** What the provider's type does not take. */
function checkByType(
  type: ModelProviderType,
  {
    apiKeys = [],
    settings = {},
    keyConcurrencyMax = null,
  }: Pick<ModelProviderPatch, "apiKeys" | "settings" | "keyConcurrencyMax">,
): Validation[] {
  const mistakes = [...checkSettingNames(type, settings)];
  if (isKeyless(type) && apiKeys.length > 0) {
    const detail = `Providers of type "${type}" take no keys.`;
    mistakes.push({ field: "api_keys", detail });
  }
  if (isKeyless(type) && keyConcurrencyMax !== null) {
    const detail = `Providers of type "${type}" take no keys, so there is nothing to limit.`;
    mistakes.push({ field: "max_concurrency_per_key", detail });
  }
  return mistakes;
}

async function sealedForStore(
  { vault }: StoringDeps,
  sql: Sql,
  { id, settings }: { readonly id: string; readonly settings: StoredSettings },
): Promise<Uint8Array | null> {
  const sealed = sealSettings(vault, id, settings);
  if (sealed !== null) await assertMaySeal(sql, vault);
  return sealed;
}

async function applyKeyPlan(
  deps: ModelProviderDeps,
  sql: Sql,
  { providerId, plan }: { readonly providerId: string; readonly plan: KeyPlan },
): Promise<KeyChange> {
  const removedIds = plan.removed.map((key) => key.id);
  await deleteModelProviderKeys(sql, providerId, removedIds);
  const added = await insertKeys(deps, sql, { providerId, secrets: plan.added });
  return { added, removed: plan.removed.map(withoutSecret), kept: plan.kept.map(withoutSecret) };
}

function withoutSecret(key: ModelProviderKey): ModelProviderKey {
  const { id, masked, createdAt, disabledAt } = key;
  return { id, masked, createdAt, disabledAt };
}

export function openProviderKey(vault: Vault, key: SealedKeyRow): StoredKey {
  const stored = withoutSecret(key);
  try {
    return { ...stored, secret: vault.open(key.sealed, keySealedAt(key.id)) };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return { ...stored, secret: null };
  }
}

async function insertKeys(
  deps: StoringDeps,
  sql: Sql,
  { providerId, secrets }: { readonly providerId: string; readonly secrets: readonly Secret[] },
): Promise<readonly ModelProviderKey[]> {
  if (secrets.length > 0) await assertMaySeal(sql, deps.vault);
  const keys: ModelProviderKey[] = [];
  for (const secret of secrets) {
    const id = deps.random.uuid();
    const key = { id, masked: maskCredential(secret.reveal()), createdAt: deps.clock.now() };
    const sealed = deps.vault.seal(secret.reveal(), keySealedAt(id));
    await insertModelProviderKey(sql, providerId, { ...key, sealed });
    keys.push({ ...key, disabledAt: null });
  }
  return keys;
}

/** Other servers learn of it when the transaction commits. */
export async function announce(sql: Sql): Promise<void> {
  await countProviderChange(sql);
  await publish(sql, PROVIDERS_CHANNEL, "");
}

/** One entry for the provider, and one for each key that came or went. */
async function recordChange(
  { vault }: StoringDeps,
  { sql, audit }: { readonly sql: Sql; readonly audit: AuditTrail },
  change: {
    readonly before: ModelProvider | null;
    readonly after: ModelProvider | null;
    readonly keys: KeyChange;
  },
): Promise<void> {
  const { before, after, keys } = change;
  const provider = after ?? before;
  if (provider === null) return;
  const ids = (list: readonly ModelProviderKey[]): string[] => list.map((key) => key.id);
  await audit.record(sql, {
    resourceId: provider.id,
    target: provider.name,
    diff: {
      ...diffOf(auditedFields(before), auditedFields(after), keys),
      ...diffSettings(auditedSettings(vault, before), auditedSettings(vault, after)),
    },
    additionalFields: { added: ids(keys.added), removed: ids(keys.removed), kept: ids(keys.kept) },
  });
  const entryOf = (key: ModelProviderKey) => ({
    resource: "ai_provider_key" as const,
    resourceId: key.id,
    target: key.masked,
    additionalFields: { provider_id: provider.id, provider_name: provider.name },
  });
  const diff = { api_key: { secret: true } } as const;
  for (const key of keys.added)
    await audit.record(sql, { ...entryOf(key), diff, action: "create" });
  for (const key of keys.removed)
    await audit.record(sql, { ...entryOf(key), diff, action: "delete" });
}

function diffOf(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  keys: KeyChange,
): AuditDiff {
  const changed = Object.entries(after)
    .map(([field, value]) => [field, { old: before[field] ?? null, new: value }] as const)
    .filter(([, diff]) => diff.old !== diff.new);
  const haveKeysChanged = keys.added.length + keys.removed.length > 0;
  return {
    ...Object.fromEntries(changed),
    ...(haveKeysChanged ? { api_keys: { secret: true as const } } : {}),
  };
}

/** The same fields for each provider and for none. */
function auditedFields(provider: ModelProvider | null): Record<string, unknown> {
  return {
    type: provider?.type ?? null,
    name: provider?.name ?? null,
    display_name: provider?.displayName ?? null,
    enabled: provider?.enabled ?? null,
    base_url: provider?.baseUrl ?? null,
    max_concurrency_per_key: provider?.keyConcurrencyMax ?? null,
    // One that is made says only how it differs from the usual.
    ...keyPolicyFields(provider?.keyPolicy ?? USUAL_KEY_POLICY),
  };
}

function auditedSettings(vault: Vault, provider: ModelProvider | null): StoredSettings {
  return provider === null ? {} : settingsOrNone(vault, provider);
}
