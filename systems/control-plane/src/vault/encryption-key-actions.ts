/**
 * The deployment's encryption keys: checked against the registry when a server starts, and rotated.
 *
 * To rotate: start the servers with the old key first and the new one second, then with the new one
 * first, then rotate, then start them without the old one. Each step works while servers of the step
 * before still run, and a rotation that is stopped anywhere is repeated from the beginning.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Clock } from "@atelier/base/clock";
import type { Secret } from "@atelier/base/secret";
import type { Database, Sql } from "@atelier/database/database";
import {
  holdSealingKey,
  insertEncryptionKey,
  listEncryptionKeys,
  lockEncryptionKeys,
  lockRegistration,
  reinstateEncryptionKey,
  revokeEncryptionKeys,
  type RegisteredKey,
} from "./encryption-key-store.ts";
import { sealedAt, type SealedColumn } from "./sealed-column.ts";
import { createVault, sealingKeyId, VaultError, type Vault } from "./vault.ts";

/** Values re-wrapped between two commits. A guess: small enough to hold no row lock for long. */
const ROTATION_BATCH = 200;
const TEST_TEXT = "atelier";

/**
 * Registers the vault's keys. Fails with sentences for the operator when this server must not
 * start: it would meet values that it cannot open, or seal with a key that was taken out of service.
 */
export async function registerEncryptionKeys(
  deps: { readonly database: Database; readonly clock: Clock },
  vault: Vault,
): Promise<Result<void, readonly string[]>> {
  const now = deps.clock.now();
  return deps.database.transaction((sql) => registerAndCheck(sql, vault, now));
}

/** Call it in each transaction that seals: the seal must not outlive the key it was made with. */
export async function assertMaySeal(sql: Sql, vault: Vault): Promise<void> {
  const [id] = vault.keyIds;
  if (await holdSealingKey(sql, id)) return;
  throw new VaultError(
    `this server encrypts with key ${id}, which is not in service: restart it with the new key first`,
  );
}

export type RotationProgress = { readonly column: string; readonly rewrapped: number };

export type RotationDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly columns: readonly SealedColumn[];
};

export type RotationKeys = { readonly newKey: Secret; readonly oldKeys: readonly Secret[] };

export type RotationReport = {
  readonly rewrapped: number;
  readonly revokedKeyIds: readonly string[];
};

/**
 * Puts every sealed value under the new key, then takes the other keys out of service. Fails with
 * sentences for the operator, having lost nothing, when a value cannot be opened.
 */
export async function rotateEncryption(
  deps: RotationDeps,
  keys: RotationKeys,
  report: (progress: RotationProgress) => void,
): Promise<Result<RotationReport, readonly string[]>> {
  const created = createVault([keys.newKey, ...keys.oldKeys]);
  if (!created.ok) return created;
  const vault = created.value;
  const [newKeyId] = vault.keyIds;
  const checked = await deps.database.transaction(async (sql) => {
    await reinstateEncryptionKey(sql, newKeyId);
    return registerAndCheck(sql, vault, deps.clock.now());
  });
  if (!checked.ok) return checked;
  try {
    let rewrapped = 0;
    for (const column of deps.columns) {
      rewrapped += await rewrapColumn(deps.database, vault, { column, report });
    }
    const finished = await finish(deps, vault);
    return ok({ rewrapped: rewrapped + finished.rewrapped, revokedKeyIds: finished.revokedKeyIds });
  } catch (error) {
    if (error instanceof VaultError) return fail([error.message]);
    throw error;
  }
}

async function registerAndCheck(
  sql: Sql,
  vault: Vault,
  now: Date,
): Promise<Result<void, readonly string[]>> {
  // Two servers that start at once with different keys: the second must see the first one's.
  await lockRegistration(sql);
  const registered = await listEncryptionKeys(sql);
  const mistakes = registered.flatMap((key) => mistakesOf(vault, key));
  // A refused server leaves no key behind: the right one would be refused because of it.
  if (mistakes.length > 0) return fail(mistakes);
  const known = new Set(registered.map((key) => key.id));
  for (const id of vault.keyIds) {
    if (known.has(id)) continue;
    await insertEncryptionKey(sql, { id, testSealed: testSealOf(vault, id), createdAt: now });
  }
  return ok(undefined);
}

function mistakesOf(vault: Vault, key: RegisteredKey): readonly string[] {
  const isOurs = vault.keyIds.includes(key.id);
  if (key.revokedAt !== null) {
    return key.id === vault.keyIds[0]
      ? [`encryption key ${key.id} was rotated out: put the new key first`]
      : [];
  }
  if (!isOurs) {
    return [
      `the database is encrypted with key ${key.id}, which is not configured here: give it with ` +
        "external-token-encryption-keys, or put the encryption.key of the first server back",
    ];
  }
  try {
    vault.open(key.testSealed, testPlace(key.id));
    return [];
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return [`encryption key ${key.id} does not open what was encrypted with it`];
  }
}

function testSealOf(vault: Vault, id: string): Buffer {
  return vault.sealWith(id, TEST_TEXT, testPlace(id));
}

function testPlace(id: string): string {
  return `encryption_keys/test_sealed/${id}`;
}

async function rewrapColumn(
  database: Database,
  vault: Vault,
  {
    column,
    report,
  }: { readonly column: SealedColumn; readonly report: (progress: RotationProgress) => void },
): Promise<number> {
  let rewrapped = 0;
  let afterId: string | null = null;
  for (;;) {
    const from: string | null = afterId;
    const batch: Batch = await database.transaction((sql) => rewrapBatch(sql, vault, column, from));
    if (batch.lastId === null) return rewrapped;
    rewrapped += batch.rewrapped;
    afterId = batch.lastId;
    report({ column: column.name, rewrapped });
  }
}

/**
 * With the registry locked nobody can seal: what is still under another key was sealed while the
 * batches ran, is re-wrapped here, and then no other key is needed.
 */
function finish(deps: RotationDeps, vault: Vault): Promise<RotationReport> {
  return deps.database.transaction(async (sql) => {
    await lockEncryptionKeys(sql);
    let rewrapped = 0;
    for (const column of deps.columns) {
      let afterId: string | null = null;
      do {
        const batch: Batch = await rewrapBatch(sql, vault, column, afterId);
        rewrapped += batch.rewrapped;
        afterId = batch.lastId;
      } while (afterId !== null);
    }
    const change = { keptId: vault.keyIds[0], revokedAt: deps.clock.now() };
    return { rewrapped, revokedKeyIds: await revokeEncryptionKeys(sql, change) };
  });
}

type Batch = { readonly rewrapped: number; readonly lastId: string | null };

async function rewrapBatch(
  sql: Sql,
  vault: Vault,
  column: SealedColumn,
  afterId: string | null,
): Promise<Batch> {
  const values = await column.list(sql, { afterId, limit: ROTATION_BATCH });
  let rewrapped = 0;
  for (const { id, sealed } of values) {
    if (sealingKeyId(sealed) === vault.keyIds[0]) continue;
    const to = vault.rewrap(sealed, sealedAt(column, id));
    // A value that changed since it was read is under a server's key: finish() looks at it again.
    if (to !== null && (await column.replace(sql, { id, from: sealed, to }))) rewrapped += 1;
  }
  return { rewrapped, lastId: values.at(-1)?.id ?? null };
}
