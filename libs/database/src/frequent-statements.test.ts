/** What is kept prepared, and that a connection that keeps it answers as before. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testDatabase } from "@atelier/testkit/test-database";
import { sql } from "kysely";
import { FrequentStatements } from "./frequent-statements.ts";

function timesUntilNamed(text: string, isInTransaction: boolean): number | null {
  const frequent = new FrequentStatements();
  for (let times = 1; times <= 50; times += 1) {
    if (frequent.nameOf(text, isInTransaction) !== null) return times;
  }
  return null;
}

test("changes, and what is read in transactions or by key, get a name when they come often", () => {
  assert.equal(timesUntilNamed("update chats set title = $1 where id = $2", false), 8);
  assert.equal(timesUntilNamed("select id from chats where id = $1", true), 8);
  assert.equal(timesUntilNamed("\n  /* by key */ select id from chats where id = $1", false), 8);
  assert.equal(timesUntilNamed("select id from chats where owner_id = $1", false), null);
});

test("one text has one name, and others have others", () => {
  const frequent = new FrequentStatements();
  const nameOf = (text: string): string | null => {
    let name: string | null = null;
    for (let times = 0; times < 10; times += 1) name = frequent.nameOf(text, true);
    return name;
  };
  const name = nameOf("select 1 where $1");
  assert.equal(nameOf("select 1 where $1"), name);
  assert.notEqual(nameOf("select 2 where $1"), name);
});

test("texts that are new each time are neither named nor remembered without end", () => {
  const frequent = new FrequentStatements();
  for (let n = 0; n < 5_000; n += 1) assert.equal(frequent.nameOf(`select ${n}`, true), null);
});

test("there are no more names than connections can well keep", () => {
  const frequent = new FrequentStatements();
  let named = 0;
  for (let n = 0; n < 300; n += 1) {
    for (let times = 0; times < 8; times += 1) {
      if (frequent.nameOf(`select ${n}`, true) !== null) named += 1;
    }
  }
  assert.equal(named, 100);
});

test("a statement that comes often is prepared by its connection, and means the same", async () => {
  await using database = await testDatabase();
  await sql`create table things (id integer primary key, name text)`.execute(database.sql);
  const prepared = await database.transaction(async (db) => {
    for (let id = 1; id <= 12; id += 1) {
      await sql`insert into things values (${id}, ${`thing ${id}`})`.execute(db);
      const { rows } = await sql<{
        name: string;
      }>`select name from things where id = ${id}`.execute(db);
      assert.deepEqual(rows, [{ name: `thing ${id}` }]);
    }
    const { rows } = await sql<{ name: string }>`
      select name from pg_prepared_statements where name like 'frequent\_%'`.execute(db);
    return rows.length;
  });
  assert.equal(prepared, 2);
});

test("one that fails undoes its transaction, and can be said again", async () => {
  await using database = await testDatabase();
  await sql`create table things (id integer primary key)`.execute(database.sql);
  const insert = (id: number): Promise<unknown> =>
    database.transaction(async (db) => sql`insert into things values (${id})`.execute(db));
  for (let id = 1; id <= 10; id += 1) await insert(id);
  for (let again = 0; again < 3; again += 1) await assert.rejects(insert(1), /duplicate key/);
  await insert(11);
});
