/** The registry of encryption keys in Postgres: which keys may have sealed something in here. */
import type { Sql } from "@atelier/database/database";
import { sql as text } from "kysely";

export type RegisteredKey = {
  readonly id: string;
  readonly revokedAt: Date | null;
  readonly testSealed: Uint8Array;
};

export async function listEncryptionKeys(sql: Sql): Promise<readonly RegisteredKey[]> {
  const { rows } = await text<{ id: string; revoked_at: Date | null; test_sealed: Buffer }>`
    select id, revoked_at, test_sealed
    from encryption_keys
    order by created_at, id`.execute(sql);
  return rows.map((row) => ({
    id: row.id,
    revokedAt: row.revoked_at,
    testSealed: row.test_sealed,
  }));
}

/** Until the transaction ends, nobody else registers keys. */
export async function lockRegistration(sql: Sql): Promise<void> {
  await text`select pg_advisory_xact_lock(hashtext('encryption_keys'))`.execute(sql);
}

/** Does nothing when the key is registered: two servers may start at once. */
export async function insertEncryptionKey(
  sql: Sql,
  key: { readonly id: string; readonly testSealed: Uint8Array; readonly createdAt: Date },
): Promise<void> {
  await text`
    insert into encryption_keys (id, created_at, test_sealed)
    values (${key.id}, ${key.createdAt}, ${key.testSealed})
    on conflict (id) do nothing`.execute(sql);
}

/**
 * Whether the key may seal. Holds the answer until the caller's transaction ends: a rotation that
 * wants to revoke the key waits, and then sees what the transaction sealed.
 */
export async function holdSealingKey(sql: Sql, id: string): Promise<boolean> {
  const { rows } = await text`
    select id from encryption_keys
    where id = ${id} and revoked_at is null
    for share`.execute(sql);
  return rows.length === 1;
}

/** Waits for the transactions that seal with these keys, and keeps others from beginning. */
export async function lockEncryptionKeys(sql: Sql): Promise<void> {
  await text`select id from encryption_keys order by id for update`.execute(sql);
}

/** The ids that this call revoked. */
export async function revokeEncryptionKeys(
  sql: Sql,
  { keptId, revokedAt }: { readonly keptId: string; readonly revokedAt: Date },
): Promise<readonly string[]> {
  const { rows } = await text<{ id: string }>`
    update encryption_keys
    set revoked_at = ${revokedAt}
    where id <> ${keptId} and revoked_at is null
    returning id`.execute(sql);
  return rows.map((row) => row.id);
}

/** A key that was revoked and is put back into service by an operator who encrypts with it again. */
export async function reinstateEncryptionKey(sql: Sql, id: string): Promise<void> {
  await text`
    update encryption_keys set revoked_at = null where id = ${id}`.execute(sql);
}
