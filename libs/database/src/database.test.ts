import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { sql as statement } from "kysely";
import {
  isDatabaseUnavailable,
  openDatabase,
  type Database,
  type DatabaseConnection,
  type Sql,
} from "./database.ts";

test("bigint is a number, and an error when a number cannot hold it", async () => {
  await using database = await testDatabase();
  const { rows } = await statement<{ n: number }>`select 9007199254740991::bigint as n`.execute(
    database.sql,
  );
  assert.deepEqual(rows, [{ n: Number.MAX_SAFE_INTEGER }]);
  await assert.rejects(
    database.pool.query("select 9007199254740992::bigint as n"),
    /9007199254740992 is not a safe integer/,
  );
});

test("a transaction commits as a whole, or leaves nothing", async () => {
  await using database = await testDatabase();
  await database.transaction(async (sql) => {
    await insertSetting(sql, "a");
    await insertSetting(sql, "b");
  });
  const undone = database.transaction(async (sql) => {
    await insertSetting(sql, "c");
    throw new Error("undo");
  });
  await assert.rejects(undone, { message: "undo" });
  assert.deepEqual(await settings(database.sql), ["a", "b"]);
});

test("two transactions in a deadlock both succeed: one is repeated", async () => {
  await using database = await testDatabase();
  for (const key of ["a", "b"]) await insertSetting(database.sql, key);
  const bothLocked = Promise.withResolvers<void>();
  let [runs, firstLocks] = [0, 0];
  const update = (first: string, second: string): Promise<void> =>
    database.transaction(async (sql) => {
      runs += 1;
      await appendToSetting(sql, first);
      firstLocks += 1;
      if (firstLocks === 2) bothLocked.resolve();
      await bothLocked.promise;
      await appendToSetting(sql, second);
    });
  await Promise.all([update("a", "b"), update("b", "a")]);
  assert.equal(runs, 3);
  assert.deepEqual(
    await database.sql
      .selectFrom("site_settings")
      .select(["key", "value"])
      .where("key", "in", ["a", "b"])
      .orderBy("key")
      .execute(),
    [
      { key: "a", value: "++" },
      { key: "b", value: "++" },
    ],
  );
});

for (const { code, runs } of [
  { code: "40001", runs: 4 },
  { code: "40P01", runs: 4 },
  { code: "23505", runs: 1 },
]) {
  test(`a transaction that always fails with ${code} runs ${runs} times`, async () => {
    await using database = await testDatabase();
    let ran = 0;
    const failing = database.transaction(async (sql) => {
      ran += 1;
      await statement`do ${statement.raw(`'begin raise exception using errcode = ''${code}''; end'`)}`.execute(
        sql,
      );
    });
    await assert.rejects(failing, { code });
    assert.equal(ran, runs);
  });
}

test("a read-only transaction sees one moment, and cannot write", async () => {
  await using database = await testDatabase();
  await database.readOnlyTransaction(async (sql) => {
    assert.deepEqual(await settings(sql), []);
    await insertSetting(database.sql, "later");
    assert.deepEqual(await settings(sql), []);
  });
  await assert.rejects(
    database.readOnlyTransaction((sql) => insertSetting(sql, "mine")),
    { code: "25006" },
  );
});

test("a connection that is lost in use fails its statement only, and the next one works", async () => {
  await using database = await testDatabase();
  const lost = database.transaction(async (sql) => {
    const { rows } = await statement<{
      pid: number;
    }>`select pg_backend_pid() as pid`.execute(sql);
    await database.pool.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
    await insertSetting(sql, "never");
  });
  await assert.rejects(lost, isDatabaseUnavailable);
  await insertSetting(database.sql, "after");
  assert.deepEqual(await settings(database.sql), ["after"]);
});

test("a connection that is lost while idle is replaced, and said", async () => {
  await using database = await testDatabase();
  const said = Promise.withResolvers<string>();
  await using other = open(database.connection, { onWarning: said.resolve });
  const { rows } = await other.pool.query<{ pid: number }>("select pg_backend_pid() as pid");
  await database.pool.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
  assert.equal(await said.promise, "idle database connection lost");
  await insertSetting(other.sql, "after");
});

test("a statement that takes too long is cancelled", async () => {
  await using database = await testDatabase();
  // A busy machine takes a while to say so, and half as long again counts as silence.
  await using other = open(database.connection, { statementTimeoutMs: 1_000 });
  const error = await failureOf(other.pool.query("select pg_sleep(60)"));
  assert.equal((error as { code?: string }).code, "57014");
  assert.equal(isDatabaseUnavailable(error), false);
});

test("what a transaction has locked is free again when whoever runs it hangs", async () => {
  await using database = await testDatabase();
  await insertSetting(database.sql, "a");
  await using hanging = open(database.connection, { idleTransactionMs: 50 });
  const locked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const hung = hanging.transaction(async (sql) => {
    await appendToSetting(sql, "a");
    locked.resolve();
    await goOn.promise;
    await insertSetting(sql, "never");
  });
  await locked.promise;
  await appendToSetting(database.sql, "a"); // Waits for the lock.
  goOn.resolve();
  await assert.rejects(hung, isDatabaseUnavailable);
  assert.deepEqual(await settings(database.sql), ["a"]);
});

test("a server that stops answering is given up", async () => {
  await using server = createServer((socket) => {
    // Authentication succeeded, ready for a query; and then silence.
    socket.resume().write(Buffer.from("520000000800000000" + "5a0000000549", "hex"));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const connection = { host: "127.0.0.1", port, user: "app", database: "none" };
  await using database = open(connection, { statementTimeoutMs: 50 });
  assert.equal(isDatabaseUnavailable(await failureOf(database.pool.query("select 1"))), true);
});

test("an address may be a URL, and a secret", async () => {
  await using database = await testDatabase();
  await using other = open({ connectionString: new Secret(database.url) });
  assert.deepEqual((await other.pool.query("select current_database() as name")).rows, [
    { name: database.connection.database },
  ]);
});

test("an absent database is told from a wrong statement", async () => {
  await using database = await testDatabase();
  for (const { connection, expected } of [
    { connection: { host: "127.0.0.1", port: 1 }, expected: true },
    { connection: { host: "/nowhere" }, expected: true },
    { connection: { host: "name.invalid" }, expected: true },
    { connection: { database: "absent" }, expected: true },
    { connection: { user: "nobody" }, expected: true },
    { connection: { options: "-c default_transaction_read_only=on" }, expected: true },
    { connection: {}, expected: false },
  ]) {
    await using other = open({ ...database.connection, ...connection });
    const statement = expected ? "create table a ()" : "select nonsense";
    const error = await failureOf(other.pool.query(statement));
    assert.equal(isDatabaseUnavailable(error), expected, String(error));
    assert.equal(isDatabaseUnavailable(new Error("load users", { cause: error })), expected);
  }
  const fetchError = new TypeError("fetch failed", {
    cause: Object.assign(new Error("refused"), { code: "ECONNREFUSED", syscall: "connect" }),
  });
  assert.equal(isDatabaseUnavailable(fetchError), false);
  assert.equal(isDatabaseUnavailable(undefined), false);
});

test("closing twice is closing once, also when only the pool was used", async () => {
  await using database = await testDatabase();
  const other = open(database.connection);
  await other.pool.query("select 1");
  await other[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  assert.equal(other.pool.ended, true);
});

test("what a test writes stays in its database", async () => {
  await using first = await testDatabase();
  await using second = await testDatabase();
  await insertSetting(first.sql, "mine");
  assert.deepEqual(await settings(second.sql), []);
  assert.notEqual(first.connection.database, second.connection.database);
});

test("a test database is dropped, even when something is still connected to it", async () => {
  let name = "";
  let left: Database;
  await using observer: TestDatabase = await testDatabase();
  {
    await using database = await testDatabase();
    name = database.connection.database;
    left = open(database.connection);
    await left.pool.query("select 1");
  }
  await left[Symbol.asyncDispose]();
  const { rows } = await observer.pool.query("select from pg_database where datname = $1", [name]);
  assert.equal(rows.length, 0);
});

function open(
  connection: DatabaseConnection,
  options: {
    statementTimeoutMs?: number;
    idleTransactionMs?: number;
    onWarning?: (message: string) => void;
  } = {},
): Database {
  const { onWarning = () => {}, ...others } = options;
  return openDatabase({
    connection,
    applicationName: "database test",
    connectionsMax: 2,
    log: { ...silentLogger, warn: (_, message) => onWarning(message) },
    ...others,
  });
}

async function insertSetting(sql: Sql, key: string): Promise<void> {
  await sql.insertInto("site_settings").values({ key, value: "" }).execute();
}

async function appendToSetting(sql: Sql, key: string): Promise<void> {
  await statement`update site_settings set value = value || '+' where key = ${key}`.execute(sql);
}

async function settings(sql: Sql): Promise<string[]> {
  const rows = await sql
    .selectFrom("site_settings")
    .select("key")
    .where("key", "!=", "deployment_id")
    .orderBy("key")
    .execute();
  return rows.map(({ key }) => key);
}

function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => assert.fail("it did not fail"),
    (error: unknown) => error,
  );
}
