import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { loadMigrations, migrate, requireSupportedVersion, type Migration } from "./migrate.ts";

const FRUIT = migration(1, "0001_fruit.sql", "create table fruit (name text not null);");
const APPLE = migration(2, "0002_apple.sql", "insert into fruit values ('apple');");

test("migrations are applied in order, and only once", async () => {
  await using database = await emptyDatabase();
  await migrate(database, silentLogger, [FRUIT]);
  await migrate(database, silentLogger, [FRUIT, APPLE]);
  await migrate(database, silentLogger, [FRUIT, APPLE]);
  assert.deepEqual(await applied(database), [FRUIT.file, APPLE.file]);
  assert.deepEqual((await database.pool.query("select name from fruit")).rows, [{ name: "apple" }]);
});

test("servers that start at once migrate once", async () => {
  await using database = await emptyDatabase();
  const slow = migration(1, "0001_slow.sql", "create table fruit (); select pg_sleep(0.2);");
  const said: string[] = [];
  const log = { ...silentLogger, info: (_: object, message: string) => said.push(message) };
  await Promise.all(Array.from({ length: 3 }, () => migrate(database, log, [slow])));
  assert.deepEqual(said.toSorted(), [
    "database migration applied",
    "waiting for another server to migrate the database",
    "waiting for another server to migrate the database",
  ]);
  assert.deepEqual(await applied(database), [slow.file]);
});

test("a migration that fails leaves nothing of itself, and is named", async () => {
  await using database = await emptyDatabase();
  // It fails late: when it is to be written down as applied.
  const broken = migration(
    2,
    "0002_broken.sql",
    "create table half (); drop table schema_migrations;",
  );
  await assert.rejects(migrate(database, silentLogger, [FRUIT, broken]), {
    message: "migration 0002_broken.sql",
  });
  assert.deepEqual(await applied(database), [FRUIT.file]);
  assert.deepEqual((await database.pool.query("select to_regclass('half') as half")).rows, [
    { half: null },
  ]);
  await migrate(database, silentLogger, [FRUIT, APPLE]);
  assert.deepEqual(await applied(database), [FRUIT.file, APPLE.file]);
});

test("a file that changed after it was applied is refused and named", async () => {
  await using database = await emptyDatabase();
  await migrate(database, silentLogger, [FRUIT]);
  const changed = migration(1, FRUIT.file, `${FRUIT.sql} -- one more word`);
  await assert.rejects(
    migrate(database, silentLogger, [changed, APPLE]),
    /^Error: migration 0001_fruit.sql is not the file that was applied/,
  );
  assert.deepEqual(await applied(database), [FRUIT.file]);
});

test("a database of a newer program is refused", async () => {
  await using database = await emptyDatabase();
  await migrate(database, silentLogger, [FRUIT, APPLE]);
  await assert.rejects(
    migrate(database, silentLogger, [FRUIT]),
    /migration 0002_apple.sql, which this version of Atelier does not know: .* Upgrade the program/,
  );
});

test("Postgres 15 is new enough, and older ones are refused", () => {
  requireSupportedVersion(150_000);
  requireSupportedVersion(180_004);
  assert.throws(
    () => requireSupportedVersion(140_019),
    /runs Postgres 14; .* Postgres 15 or newer/,
  );
});

test("the files of a directory are numbered without gaps", () => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, "0002_b.sql"), "select 2");
  writeFileSync(join(directory.path, "0001_a.sql"), "select 1");
  writeFileSync(join(directory.path, "notes.md"), "");
  assert.deepEqual(loadMigrations(directory.path), [
    migration(1, "0001_a.sql", "select 1"),
    migration(2, "0002_b.sql", "select 2"),
  ]);
  writeFileSync(join(directory.path, "0004_d.sql"), "select 4");
  assert.throws(() => loadMigrations(directory.path), {
    message: "migration 0004_d.sql: expected the name 0003_*.sql",
  });
});

function migration(number: number, file: string, sql: string): Migration {
  return { number, file, sql, checksum: createHash("sha256").update(sql).digest("hex") };
}

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await testDatabase();
  await database.pool.query("drop schema public cascade; create schema public");
  return database;
}

async function applied(database: TestDatabase): Promise<string[]> {
  const { rows } = await database.pool.query<{ file: string }>(
    "select file from schema_migrations order by number",
  );
  return rows.map(({ file }) => file);
}

function temporaryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync("/tmp/atelier-migrations-");
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
