import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import type { Database } from "@atelier/database/database";
import { testDatabase } from "@atelier/testkit/test-database";
import { sql as text } from "kysely";
import {
  assertMaySeal,
  registerEncryptionKeys,
  rotateEncryption,
} from "./encryption-key-actions.ts";
import { sealedAt, type SealedColumn } from "./sealed-column.ts";
import { createVault, sealingKeyId, VaultError, type Vault } from "./vault.ts";

const OLD = new Secret(randomBytes(32).toString("base64"));
const NEW = new Secret(randomBytes(32).toString("base64"));
const clock = systemClock;

function vaultOf(...keys: Secret[]): Vault {
  const created = createVault(keys);
  assert(created.ok);
  return created.value;
}

/** A column of a table of its own, so that this room is tested without another one. */
const COLUMN: SealedColumn = {
  name: "boxes/sealed",
  async list(sql, { afterId, limit }) {
    const { rows } = await text<{ id: string; sealed: Buffer }>`
      select id, sealed from boxes
      where ${afterId}::uuid is null or id > ${afterId}::uuid order by id limit ${limit}`.execute(
      sql,
    );
    return rows;
  },
  async replace(sql, { id, from, to }) {
    const { rows } = await text`
      update boxes set sealed = ${to} where id = ${id} and sealed = ${from} returning id`.execute(
      sql,
    );
    return rows.length === 1;
  },
};

async function makeBoxes(database: Database, vault: Vault, count: number): Promise<string[]> {
  await text`create table boxes (id uuid primary key, sealed bytea not null)`.execute(database.sql);
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const id of ids) {
    const sealed = vault.seal(`value ${id}`, sealedAt(COLUMN, id));
    await text`insert into boxes values (${id}, ${sealed})`.execute(database.sql);
  }
  return ids;
}

/** Until another transaction waits for a lock that somebody holds. */
async function untilSomebodyWaits(database: Database): Promise<void> {
  for (;;) {
    const { rows } = await text`
      select pid from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(database.sql);
    if (rows.length > 0) return;
  }
}

async function sealedOf(database: Database): Promise<Map<string, Buffer>> {
  const { rows } = await text<{ id: string; sealed: Buffer }>`select id, sealed from boxes`.execute(
    database.sql,
  );
  return new Map(rows.map((row) => [row.id, row.sealed]));
}

test("a server registers its keys, and starts again with them in any order", async () => {
  await using database = await testDatabase();
  const deps = { database, clock };
  assert.deepEqual(await registerEncryptionKeys(deps, vaultOf(OLD)), {
    ok: true,
    value: undefined,
  });
  assert((await registerEncryptionKeys(deps, vaultOf(OLD, NEW))).ok);
  assert((await registerEncryptionKeys(deps, vaultOf(NEW, OLD))).ok);
});

test("two servers that start at once both register", async () => {
  await using database = await testDatabase();
  const starts = Array.from({ length: 4 }, () =>
    registerEncryptionKeys({ database, clock }, vaultOf(OLD)),
  );
  assert.deepEqual((await Promise.all(starts)).map(({ ok }) => ok), [true, true, true, true]); // prettier-ignore
});

test("a server that lacks a registered key does not start, says which, and leaves nothing behind", async () => {
  await using database = await testDatabase();
  const deps = { database, clock };
  await registerEncryptionKeys(deps, vaultOf(OLD));
  const started = await registerEncryptionKeys(deps, vaultOf(NEW));
  const [id] = vaultOf(OLD).keyIds;
  assert(!started.ok);
  assert.match(started.failure.join(), new RegExp(`encrypted with key ${id}, .*not configured`));
  // With the right key it starts again.
  assert((await registerEncryptionKeys(deps, vaultOf(OLD))).ok);
});

test("of two servers that start at once with different keys, one is refused", async () => {
  await using database = await testDatabase();
  const deps = { database, clock };
  const starts = [OLD, NEW].map((key) => registerEncryptionKeys(deps, vaultOf(key)));
  const outcomes = (await Promise.all(starts)).filter(({ ok }) => ok);
  assert.equal(outcomes.length, 1);
});

test("a server whose key does not open the test value does not start", async () => {
  await using database = await testDatabase();
  await registerEncryptionKeys({ database, clock }, vaultOf(OLD));
  await text`update encryption_keys set test_sealed = set_byte(test_sealed, 80, 1)`.execute(
    database.sql,
  );
  assert(!(await registerEncryptionKeys({ database, clock }, vaultOf(OLD))).ok);
});

test("rotation re-wraps every value, revokes the old key, and is done once", async () => {
  await using database = await testDatabase();
  const deps = { database, clock, columns: [COLUMN] };
  await registerEncryptionKeys(deps, vaultOf(OLD));
  const ids = await makeBoxes(database, vaultOf(OLD), 450);
  const steps: number[] = [];
  const rotated = await rotateEncryption(deps, { newKey: NEW, oldKeys: [OLD] }, (progress) =>
    steps.push(progress.rewrapped),
  );
  const revokedKeyIds = [vaultOf(OLD).keyIds[0]];
  assert.deepEqual(rotated, { ok: true, value: { rewrapped: 450, revokedKeyIds } });
  assert.deepEqual(steps, [200, 400, 450]);
  const sealed = await sealedOf(database);
  for (const id of ids) {
    const opened = vaultOf(NEW).open(sealed.get(id) ?? Buffer.of(), sealedAt(COLUMN, id));
    assert.equal(opened.reveal(), `value ${id}`);
  }
  assert((await registerEncryptionKeys(deps, vaultOf(NEW))).ok, "starts without the old key");
  assert(!(await registerEncryptionKeys(deps, vaultOf(OLD))).ok, "does not start with only it");
  assert(!(await registerEncryptionKeys(deps, vaultOf(OLD, NEW))).ok, "does not seal with it");
  const again = await rotateEncryption(deps, { newKey: NEW, oldKeys: [OLD] }, () => {});
  assert.deepEqual(again, { ok: true, value: { rewrapped: 0, revokedKeyIds: [] } });
});

test("a rotation goes on where it was stopped", async () => {
  await using database = await testDatabase();
  const deps = { database, clock, columns: [COLUMN] };
  await registerEncryptionKeys(deps, vaultOf(OLD));
  await makeBoxes(database, vaultOf(OLD), 250);
  const keys = { newKey: NEW, oldKeys: [OLD] };
  const stop = (): never => {
    throw new Error("stopped");
  };
  await assert.rejects(rotateEncryption(deps, keys, stop), /stopped/);
  const rotated = await rotateEncryption(deps, keys, () => {});
  assert.equal(rotated.ok && rotated.value.rewrapped, 50);
});

test("values are readable all the while, and one sealed meanwhile is moved too", async () => {
  await using database = await testDatabase();
  const deps = { database, clock, columns: [COLUMN] };
  await registerEncryptionKeys(deps, vaultOf(OLD));
  await makeBoxes(database, vaultOf(OLD), 600);
  const server = vaultOf(OLD, NEW);
  // Before all others: the batches have passed it when it is committed.
  const late = "00000000-0000-4000-8000-000000000000";
  const held = Promise.withResolvers<void>();
  const passed = Promise.withResolvers<void>();
  const sealing = database.transaction(async (sql) => {
    await assertMaySeal(sql, server);
    const sealed = server.seal("late", sealedAt(COLUMN, late));
    await text`insert into boxes values (${late}, ${sealed})`.execute(sql);
    held.resolve();
    await passed.promise;
    await untilSomebodyWaits(database);
    for (const [id, box] of await sealedOf(database)) server.open(box, sealedAt(COLUMN, id));
  });
  await held.promise;
  const keys = { newKey: NEW, oldKeys: [OLD] };
  const rotated = await rotateEncryption(deps, keys, () => passed.resolve());
  await sealing;
  assert.equal(rotated.ok && rotated.value.rewrapped, 601);
  const moved = (await sealedOf(database)).get(late) ?? Buffer.of();
  assert.equal(sealingKeyId(moved), vaultOf(NEW).keyIds[0]);
});

test("after a rotation nothing is sealed with the old key any more", async () => {
  await using database = await testDatabase();
  const deps = { database, clock, columns: [] };
  await registerEncryptionKeys(deps, vaultOf(OLD));
  await database.transaction((sql) => assertMaySeal(sql, vaultOf(OLD)));
  await rotateEncryption(deps, { newKey: NEW, oldKeys: [OLD] }, () => {});
  await assert.rejects(
    database.transaction((sql) => assertMaySeal(sql, vaultOf(OLD, NEW))),
    VaultError,
  );
});

test("a value that does not open stops the rotation before any key is revoked", async () => {
  await using database = await testDatabase();
  const deps = { database, clock, columns: [COLUMN] };
  await registerEncryptionKeys(deps, vaultOf(OLD));
  const [id] = await makeBoxes(database, vaultOf(OLD), 1);
  await text`update boxes set sealed = set_byte(sealed, 80, 1)`.execute(database.sql);
  const rotated = await rotateEncryption(deps, { newKey: NEW, oldKeys: [OLD] }, () => {});
  assert.deepEqual(rotated, {
    ok: false,
    failure: [`the value at boxes/sealed/${id} does not open: it was changed or moved`],
  });
  assert((await registerEncryptionKeys(deps, vaultOf(OLD, NEW))).ok);
  assert.throws(() => vaultOf(NEW).open(Buffer.of(), "x"), VaultError);
});
