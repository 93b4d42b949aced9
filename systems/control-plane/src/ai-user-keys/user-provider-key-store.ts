/**
 * People's own provider keys in Postgres, sealed. The keys of a deleted user or provider are deleted
 * by triggers (migration 0009), so that no server can forget it.
 */
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { Sql } from "@atelier/database/database";
import { sql as text } from "kysely";
import type { ModelProviderRef } from "../ai-providers/model-provider.ts";
import type { SealedColumn } from "../vault/sealed-column.ts";
import {
  USER_KEY_COLUMN,
  type UserProviderKey,
  type UserProviderKeyId,
} from "./user-provider-key.ts";

/** Every model provider by name, with this person's key for it. */
export async function listUserProviderKeys(
  sql: Sql,
  userId: string,
): Promise<readonly UserProviderKey[]> {
  const { rows } = await text<Row>`
    select p.id, p.name, p.display_name, p.type, p.enabled, ${POLICY},
      k.masked, k.created_at, k.updated_at
    from ai_providers p
    left join user_ai_provider_keys k on k.provider_id = p.id and k.user_id = ${userId}
    where p.deleted_at is null
    order by p.name`.execute(sql);
  return rows.map(fromRow);
}

/** Undefined: no such provider. Its key is null where this person has none. */
export async function findUserProviderKey(
  sql: Sql,
  userId: string,
  ref: ModelProviderRef,
): Promise<UserProviderKey | undefined> {
  const { rows } = await text<Row>`
    select p.id, p.name, p.display_name, p.type, p.enabled, ${POLICY},
      k.masked, k.created_at, k.updated_at
    from ai_providers p
    left join user_ai_provider_keys k on k.provider_id = p.id and k.user_id = ${userId}
    where p.deleted_at is null and (p.id = ${ref.id}::uuid or p.name = ${ref.name}::text)
    order by p.id = ${ref.id}::uuid desc nulls last
    limit 1`.execute(sql);
  return rows.map(fromRow)[0];
}

/**
 * False: the user or the provider is deleted. Until the transaction ends, neither can be: a key that
 * came after their deletion would stay for ever.
 */
export async function holdUserAndProvider(
  sql: Sql,
  { userId, providerId }: UserProviderKeyId,
): Promise<boolean> {
  const { rows } = await text`
    select u.id
    from users u
    cross join ai_providers p
    where u.id = ${userId} and u.deleted_at is null
      and p.id = ${providerId} and p.deleted_at is null
    for share of u, p`.execute(sql);
  return rows.length === 1;
}

/** In place of the one before. The time of creation is the first one's. */
export async function upsertUserProviderKey(
  sql: Sql,
  { userId, providerId }: UserProviderKeyId,
  key: { readonly sealed: Uint8Array; readonly masked: string; readonly updatedAt: Date },
): Promise<void> {
  await text`
    insert into user_ai_provider_keys (
      user_id, provider_id, sealed_key, masked, created_at, updated_at
    )
    values (
      ${userId}, ${providerId}, ${key.sealed}, ${key.masked}, ${key.updatedAt}, ${key.updatedAt}
    )
    on conflict (user_id, provider_id) do update
    set sealed_key = excluded.sealed_key, masked = excluded.masked,
      updated_at = excluded.updated_at`.execute(sql);
}

/** False when there is none. */
export async function deleteUserProviderKey(
  sql: Sql,
  { userId, providerId }: UserProviderKeyId,
): Promise<boolean> {
  const { rows } = await text`
    delete from user_ai_provider_keys
    where user_id = ${userId} and provider_id = ${providerId}
    returning user_id`.execute(sql);
  return rows.length === 1;
}

/** Undefined: none is set. */
export async function findSealedUserKey(
  sql: Sql,
  { userId, providerId }: UserProviderKeyId,
): Promise<Uint8Array | undefined> {
  const { rows } = await text<{ sealed: Buffer }>`
    select k.sealed_key as sealed
    from user_ai_provider_keys k
    join ai_providers p on p.id = k.provider_id
    where k.user_id = ${userId} and k.provider_id = ${providerId} and p.deleted_at is null`.execute(
    sql,
  );
  return rows[0]?.sealed;
}

export const SEALED_USER_PROVIDER_KEYS: SealedColumn = {
  ...USER_KEY_COLUMN,
  async list(sql, { afterId, limit }) {
    const [userId = null, providerId = null] = afterId?.split("/") ?? [];
    const { rows } = await text<{ id: string; sealed: Buffer }>`
      select user_id || '/' || provider_id as id, sealed_key as sealed
      from user_ai_provider_keys
      where ${userId}::uuid is null
        or (user_id, provider_id) > (${userId}::uuid, ${providerId}::uuid)
      order by user_id, provider_id
      limit ${limit}`.execute(sql);
    return rows;
  },
  async replace(sql, { id, from, to }) {
    const [userId, providerId] = id.split("/");
    const { rows } = await text`
      update user_ai_provider_keys set sealed_key = ${to}
      where user_id = ${userId}::uuid and provider_id = ${providerId}::uuid and sealed_key = ${from}
      returning user_id`.execute(sql);
    return rows.length === 1;
  },
};

const POLICY = text`
  p.central_api_key_enabled, p.allow_user_api_key, p.allow_central_api_key_fallback`;

type Row = {
  readonly id: string;
  readonly name: string;
  readonly display_name: string;
  readonly type: ModelProviderType;
  readonly enabled: boolean;
  readonly central_api_key_enabled: boolean;
  readonly allow_user_api_key: boolean;
  readonly allow_central_api_key_fallback: boolean;
  readonly masked: string | null;
  readonly created_at: Date | null;
  readonly updated_at: Date | null;
};

function fromRow(row: Row): UserProviderKey {
  const { id, name, display_name: displayName, type, enabled } = row;
  const { masked, created_at: createdAt, updated_at: updatedAt } = row;
  const isSet = masked !== null && createdAt !== null && updatedAt !== null;
  const keyPolicy = {
    isCentralEnabled: row.central_api_key_enabled,
    areUserKeysAllowed: row.allow_user_api_key,
    isCentralFallback: row.allow_central_api_key_fallback,
  };
  return {
    provider: { id, name, displayName, type, enabled, keyPolicy },
    key: isSet ? { masked, createdAt, updatedAt } : null,
  };
}
