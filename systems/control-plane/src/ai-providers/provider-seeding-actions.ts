/**
 * Stores the model providers that the server's options describe, at its start (spec gateway 11.6). A
 * provider is stored once: whoever changes either side later decides which of them counts, because a
 * server does not start with options that contradict what is stored.
 *
 * One transaction under a lock: of several servers that start at once one stores, the others see it.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import { createModelProvider } from "@atelier/contract/http/ai-providers";
import type { Database, Sql } from "@atelier/database/database";
import { systemAudit } from "../audit/system-audit-actions.ts";
import { VaultError, type Vault } from "../vault/vault.ts";
import {
  checkNewProvider,
  insertNewProvider,
  openProviderKey,
  type NewModelProvider,
} from "./model-provider-actions.ts";
import {
  findModelProvider,
  isDeletedModelProvider,
  listSealedKeys,
  lockProviderSeeding,
} from "./model-provider-store.ts";
import type { ModelProvider } from "./model-provider.ts";
import { differingParts, type ProviderSeed } from "./provider-seed.ts";
import { openSettings, settledSettings } from "./provider-settings.ts";

export type SeedingDeps = {
  readonly database: Database;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

/** Fails with sentences for the operator when the server must not start; nothing is stored then. */
export async function seedModelProviders(
  deps: SeedingDeps,
  seeds: readonly ProviderSeed[],
): Promise<Result<void, readonly string[]>> {
  if (seeds.length === 0) return ok(undefined);
  const parsed = seeds.map((seed) => parseSeed(seed));
  const malformed = parsed.flatMap((each) => (each.ok ? [] : each.failure));
  if (malformed.length > 0) return fail(malformed);
  const wanted = parsed.flatMap((each) => (each.ok ? [each.value] : []));
  const stored = await deps.database.transaction(async (sql) => {
    await lockProviderSeeding(sql);
    const missing = await compareAll(deps, sql, wanted);
    return missing.ok ? ok(await insertAll(deps, sql, missing.value)) : missing;
  });
  if (!stored.ok) return stored;
  for (const provider of stored.value) logSeeded(deps.log, provider);
  return ok(undefined);
}

type WantedSeed = { readonly seed: ProviderSeed; readonly provider: NewModelProvider };

/** By the rules of those that people create. */
function parseSeed(seed: ProviderSeed): Result<WantedSeed, readonly string[]> {
  const { type, name, origin } = seed;
  const settingsText: Record<string, string> = {};
  for (const [setting, value] of Object.entries(seed.settings)) {
    settingsText[setting] = value instanceof Secret ? value.reveal() : value;
  }
  const body = createModelProvider.body.safeParse({
    type,
    name,
    base_url: seed.baseUrl,
    api_keys: seed.keys.map((key) => key.reveal()),
    max_concurrency_per_key: seed.keyConcurrencyMax,
    settings: settingsText,
  });
  const about = (texts: readonly string[]): readonly string[] =>
    texts.map((text) => `${origin} describe a model provider that cannot be: ${text}`);
  if (!body.success) {
    return fail(
      about(body.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)),
    );
  }
  const { api_keys: apiKeys = [], settings = {}, base_url: baseUrl } = body.data;
  const { keyConcurrencyMax } = seed;
  const keys = { apiKeys, keyConcurrencyMax };
  const provider = { type, name, displayName: "", baseUrl, ...keys, settings, enabled: true };
  const checked = checkNewProvider(provider);
  if (checked.ok) return ok({ seed, provider });
  const { detail, validations = [] } = checked.failure;
  const mistakes = validations.map(({ field, detail: text }) => `${field}: ${text}`);
  return fail(about(detail === undefined ? mistakes : [detail, ...mistakes]));
}

/** Those that are to be stored; or how the stored ones differ. */
async function compareAll(
  deps: SeedingDeps,
  sql: Sql,
  wanted: readonly WantedSeed[],
): Promise<Result<readonly WantedSeed[], readonly string[]>> {
  const missing: WantedSeed[] = [];
  const mistakes: string[] = [];
  for (const each of wanted) {
    const { name } = each.provider;
    const stored = await findModelProvider(sql, { id: null, name });
    if (stored !== undefined) {
      const parts = await differences(deps, sql, { stored, wanted: each.provider });
      if (parts.length > 0) mistakes.push(contradiction(each.seed, parts));
    } else if (await isDeletedModelProvider(sql, name)) {
      deps.log.info(
        { provider_name: name, options: each.seed.origin },
        "ai provider of the options was deleted, and is not stored again",
      );
    } else missing.push(each);
  }
  return mistakes.length > 0 ? fail(mistakes) : ok(missing);
}

async function differences(
  { vault }: SeedingDeps,
  sql: Sql,
  { stored, wanted }: { readonly stored: ModelProvider; readonly wanted: NewModelProvider },
): Promise<readonly string[]> {
  const keys = await listSealedKeys(sql, [stored.id], { isEnabledOnly: false });
  const { type, baseUrl, settings, apiKeys, keyConcurrencyMax } = wanted;
  return differingParts(
    {
      type: stored.type,
      baseUrl: stored.baseUrl,
      settings: settingsOf(vault, stored),
      keys: keys.map((key) => openProviderKey(vault, key).secret),
      keyConcurrencyMax: keyConcurrencyMax === null ? null : stored.keyConcurrencyMax,
    },
    {
      type,
      baseUrl,
      settings: settledSettings({}, settings),
      keys: apiKeys.map((key) => new Secret(key)),
      keyConcurrencyMax,
    },
  );
}

/** Settings that this server cannot open equal no others. */
function settingsOf(vault: Vault, stored: ModelProvider): Readonly<Record<string, unknown>> {
  try {
    const { external_id: _ours, ...settings } = openSettings(vault, stored);
    return settings;
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return { unreadable: true };
  }
}

/** Names no value: this is printed. */
function contradiction({ name, origin }: ProviderSeed, parts: readonly string[]): string {
  return (
    `ai provider "${name}": the stored provider differs from the current environment configuration ` +
    `(options ${origin}) in its ${parts.join(", ")}. Decide which of them counts:\n` +
    "  - the stored one: take these options away, and start again;\n" +
    "  - the options: start without them, make the stored provider the same " +
    `(${waysToChange(name, parts)}), and put them back.`
  );
}

/** A type never changes, and keys have commands of their own. */
function waysToChange(name: string, parts: readonly string[]): string {
  if (parts.includes("type")) {
    return `atelier providers delete ${name}, atelier providers create ${name}`;
  }
  const ways = parts.some((part) => part !== "keys") ? [`atelier providers edit ${name}`] : [];
  if (parts.includes("keys")) {
    ways.push(`atelier providers keys add ${name}`, `atelier providers keys remove ${name} <key>`);
  }
  return ways.join(", ");
}

async function insertAll(
  deps: SeedingDeps,
  sql: Sql,
  missing: readonly WantedSeed[],
): Promise<readonly ModelProvider[]> {
  const audit = systemAudit(deps, { action: "create", resource: "ai_provider" });
  const stored: ModelProvider[] = [];
  for (const { provider } of missing) {
    const added = await insertNewProvider(deps, { sql, audit }, provider);
    // Somebody created one of this name since it was looked for: theirs is compared at the next start.
    if (added === null)
      deps.log.warn({ provider_name: provider.name }, "ai provider exists already");
    else stored.push(added);
  }
  return stored;
}

function logSeeded(log: Logger, { id, name, type, keys }: ModelProvider): void {
  const provider = { provider_id: id, provider_name: name, provider_type: type };
  log.info(provider, "env-seeded ai provider");
  for (const key of keys) {
    log.info({ ...provider, key_id: key.id, key: key.masked }, "env-seeded ai provider key");
  }
}
