/** Model providers and their sealed keys in Postgres. A deleted provider is absent to all of it. */
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { Sql } from "@atelier/database/database";
import { sql as text } from "kysely";
import type { SealedColumn } from "../vault/sealed-column.ts";
import type { ModelProvider, ModelProviderKey, ModelProviderRef } from "./model-provider.ts";
import type { ProviderRow } from "./provider-snapshot.ts";

/** By name. */
export async function listModelProviders(sql: Sql): Promise<readonly ModelProvider[]> {
  const { rows } = await text<Row>`
    select ${COLUMNS}
    from ai_providers
    where deleted_at is null
    order by name`.execute(sql);
  return rows.map(toModelProvider);
}

export async function findModelProvider(
  sql: Sql,
  ref: ModelProviderRef,
): Promise<ModelProvider | undefined> {
  const { rows } = await text<Row>`
    select ${COLUMNS}
    from ai_providers
    where deleted_at is null and (id = ${ref.id}::uuid or name = ${ref.name}::text)
    order by id = ${ref.id}::uuid desc nulls last
    limit 1`.execute(sql);
  return rows.map(toModelProvider)[0];
}

/** Whether there was one of this name, and there is none now. */
export async function isDeletedModelProvider(sql: Sql, name: string): Promise<boolean> {
  const { rows } = await text`
    select 1
    from ai_providers
    where name = ${name}
    having count(*) > 0 and bool_and(deleted_at is not null)`.execute(sql);
  return rows.length === 1;
}

/** Until the transaction ends, no other server stores what its options describe. */
export async function lockProviderSeeding(sql: Sql): Promise<void> {
  await text`select pg_advisory_xact_lock(hashtext('ai_provider_seeding'))`.execute(sql);
}

/** Until the transaction ends nobody else changes the provider or its keys. */
export async function lockModelProvider(sql: Sql, id: string): Promise<void> {
  await text`select id from ai_providers where id = ${id} for update`.execute(sql);
}

/** False when the name is taken. */
export async function insertModelProvider(
  sql: Sql,
  provider: Omit<ModelProvider, "keys">,
): Promise<boolean> {
  // `do nothing`, because catching a unique violation would leave the transaction aborted.
  const { rows } = await text`
    insert into ai_providers (
      id, type, name, display_name, enabled, base_url, max_concurrency_per_key,
      central_api_key_enabled, allow_user_api_key, allow_central_api_key_fallback, sealed_settings,
      created_at, updated_at
    )
    values (
      ${provider.id}, ${provider.type}, ${provider.name}, ${provider.displayName},
      ${provider.enabled}, ${provider.baseUrl}, ${provider.keyConcurrencyMax},
      ${provider.keyPolicy.isCentralEnabled}, ${provider.keyPolicy.areUserKeysAllowed},
      ${provider.keyPolicy.isCentralFallback},
      ${provider.sealedSettings}, ${provider.createdAt}, ${provider.updatedAt}
    )
    on conflict (name) where deleted_at is null do nothing
    returning id`.execute(sql);
  return rows.length === 1;
}

export async function updateModelProvider(
  sql: Sql,
  provider: Pick<
    ModelProvider,
    | "id"
    | "displayName"
    | "enabled"
    | "baseUrl"
    | "keyConcurrencyMax"
    | "keyPolicy"
    | "sealedSettings"
    | "updatedAt"
  >,
): Promise<void> {
  await text`
    update ai_providers
    set display_name = ${provider.displayName}, enabled = ${provider.enabled},
      base_url = ${provider.baseUrl}, max_concurrency_per_key = ${provider.keyConcurrencyMax},
      central_api_key_enabled = ${provider.keyPolicy.isCentralEnabled},
      allow_user_api_key = ${provider.keyPolicy.areUserKeysAllowed},
      allow_central_api_key_fallback = ${provider.keyPolicy.isCentralFallback},
      sealed_settings = ${provider.sealedSettings},
      updated_at = ${provider.updatedAt}
    where id = ${provider.id} and deleted_at is null`.execute(sql);
}

/** The row stays, because records name it. Its keys and secret settings go. */
export async function deleteModelProvider(sql: Sql, id: string, deletedAt: Date): Promise<void> {
  await text`
    update ai_providers
    set deleted_at = ${deletedAt}, enabled = false, sealed_settings = null, updated_at = ${deletedAt}
    where id = ${id} and deleted_at is null`.execute(sql);
}

export async function insertModelProviderKey(
  sql: Sql,
  providerId: string,
  key: Omit<ModelProviderKey, "disabledAt"> & { readonly sealed: Uint8Array },
): Promise<void> {
  await text`
    insert into ai_provider_keys (id, provider_id, sealed_key, masked, created_at)
    values (${key.id}, ${providerId}, ${key.sealed}, ${key.masked}, ${key.createdAt})`.execute(sql);
}

export async function updateModelProviderKey(
  sql: Sql,
  providerId: string,
  key: Pick<ModelProviderKey, "id" | "disabledAt">,
): Promise<void> {
  await text`
    update ai_provider_keys set disabled_at = ${key.disabledAt}
    where provider_id = ${providerId} and id = ${key.id}`.execute(sql);
}

/** Each takes the next place, behind all that there are. */
export async function orderModelProviderKeys(
  sql: Sql,
  providerId: string,
  keyIds: readonly string[],
): Promise<void> {
  for (const id of keyIds) {
    await text`
      update ai_provider_keys set position = default
      where provider_id = ${providerId} and id = ${id}`.execute(sql);
  }
}

export async function deleteModelProviderKeys(
  sql: Sql,
  providerId: string,
  keyIds: readonly string[],
): Promise<void> {
  await text`
    delete from ai_provider_keys
    where provider_id = ${providerId} and id = any(${keyIds}::uuid[])`.execute(sql);
}

/** The keys as sealed, in the order in which they are tried. */
export async function listSealedKeys(
  sql: Sql,
  providerIds: readonly string[],
  { isEnabledOnly }: { readonly isEnabledOnly: boolean },
): Promise<readonly SealedKeyRow[]> {
  const { rows } = await text<SealedKeyRow>`
    select id, provider_id as "providerId", masked, created_at as "createdAt",
      disabled_at as "disabledAt", sealed_key as sealed
    from ai_provider_keys
    where provider_id = any(${providerIds}::uuid[])
      and (disabled_at is null or not ${isEnabledOnly}::boolean)
    order by provider_id, position`.execute(sql);
  return rows;
}

export type SealedKeyRow = ModelProviderKey & {
  readonly providerId: string;
  readonly sealed: Uint8Array;
};

/** All providers with settings and keys that may serve: the secrets of what is disabled are never loaded. */
export async function loadProviderRows(sql: Sql): Promise<readonly ProviderRow[]> {
  const { rows } = await text<Omit<ProviderRow, "keys">>`
    select id, type, name, enabled, base_url as "baseUrl",
      max_concurrency_per_key as "keyConcurrencyMax",
      case when enabled then sealed_settings end as "sealedSettings"
    from ai_providers
    where deleted_at is null
    order by name`.execute(sql);
  const enabledIds = rows.filter((row) => row.enabled).map((row) => row.id);
  const keys =
    enabledIds.length === 0 ? [] : await listSealedKeys(sql, enabledIds, { isEnabledOnly: true });
  const keysOf = Map.groupBy(keys, (key) => key.providerId);
  return rows.map((row) => ({ ...row, keys: keysOf.get(row.id) ?? [] }));
}

export async function readProviderChanges(sql: Sql): Promise<number> {
  const { rows } = await text<{ version: number }>`
    select version from ai_provider_changes`.execute(sql);
  return rows[0]?.version ?? 0;
}

export async function countProviderChange(sql: Sql): Promise<void> {
  await text`update ai_provider_changes set version = version + 1`.execute(sql);
}

export const SEALED_PROVIDER_KEYS: SealedColumn = {
  name: "ai_provider_keys/sealed_key",
  async list(sql, { afterId, limit }) {
    const { rows } = await text<{ id: string; sealed: Buffer }>`
      select id, sealed_key as sealed
      from ai_provider_keys
      where ${afterId}::uuid is null or id > ${afterId}::uuid
      order by id
      limit ${limit}`.execute(sql);
    return rows;
  },
  async replace(sql, { id, from, to }) {
    const { rows } = await text`
      update ai_provider_keys set sealed_key = ${to}
      where id = ${id} and sealed_key = ${from}
      returning id`.execute(sql);
    return rows.length === 1;
  },
};

export const SEALED_PROVIDER_SETTINGS: SealedColumn = {
  name: "ai_providers/sealed_settings",
  async list(sql, { afterId, limit }) {
    const { rows } = await text<{ id: string; sealed: Buffer }>`
      select id, sealed_settings as sealed
      from ai_providers
      where sealed_settings is not null and (${afterId}::uuid is null or id > ${afterId}::uuid)
      order by id
      limit ${limit}`.execute(sql);
    return rows;
  },
  async replace(sql, { id, from, to }) {
    const { rows } = await text`
      update ai_providers set sealed_settings = ${to}
      where id = ${id} and sealed_settings = ${from}
      returning id`.execute(sql);
    return rows.length === 1;
  },
};

type Row = {
  readonly id: string;
  readonly type: ModelProviderType;
  readonly name: string;
  readonly display_name: string;
  readonly enabled: boolean;
  readonly base_url: string;
  readonly max_concurrency_per_key: number | null;
  readonly central_api_key_enabled: boolean;
  readonly allow_user_api_key: boolean;
  readonly allow_central_api_key_fallback: boolean;
  readonly sealed_settings: Buffer | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly keys: readonly {
    readonly id: string;
    readonly masked: string;
    readonly createdAt: string;
    readonly disabledAt: string | null;
  }[];
};

/** With its keys: chats ask for a provider at every step. */
const COLUMNS = text`
  id, type, name, display_name, enabled, base_url, max_concurrency_per_key,
  central_api_key_enabled, allow_user_api_key, allow_central_api_key_fallback, sealed_settings,
  created_at, updated_at, (
    select coalesce(json_agg(json_build_object(
      'id', k.id, 'masked', k.masked, 'createdAt', k.created_at, 'disabledAt', k.disabled_at
    ) order by k.position), '[]')
    from ai_provider_keys k where k.provider_id = ai_providers.id
  ) as keys`;

function toModelProvider(row: Row): ModelProvider {
  return {
    id: row.id,
    type: row.type,
    name: row.name,
    displayName: row.display_name,
    enabled: row.enabled,
    baseUrl: row.base_url,
    keyConcurrencyMax: row.max_concurrency_per_key,
    keyPolicy: {
      isCentralEnabled: row.central_api_key_enabled,
      areUserKeysAllowed: row.allow_user_api_key,
      isCentralFallback: row.allow_central_api_key_fallback,
    },
    keys: row.keys.map(({ id, masked, createdAt, disabledAt }) => ({
      ...{ id, masked, createdAt: new Date(createdAt) },
      disabledAt: disabledAt === null ? null : new Date(disabledAt),
    })),
    sealedSettings: row.sealed_settings,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
