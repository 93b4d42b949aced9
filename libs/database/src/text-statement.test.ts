/** That a statement of texts means what it does by the driver's own query, also when it fails and when connections go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testDatabase } from "@atelier/testkit/test-database";
import { isDatabaseUnavailable } from "./database.ts";
import { runTextStatement } from "./text-statement.ts";

const ECHO = {
  name: "echo",
  text: "select $1::text, length($1), nullif($2::text, 'none') union all select 'second', 0, null",
};

test("values arrive as they are, and rows come back as texts", async () => {
  await using database = await testDatabase();
  const long = "x".repeat(300_000);
  for (const text of ["", "plain", "ü€😀\n\t'\"\\", long]) {
    const rows = await runTextStatement(database.pool, ECHO, [text, "none"]);
    assert.deepEqual(rows, [
      [text, String([...text].length), null],
      ["second", "0", null],
    ]);
  }
});

test("a value may be null, and values of other types are texts that Postgres reads", async () => {
  await using database = await testDatabase();
  const typed = {
    name: "typed",
    text: `select $1::uuid is null, $2::bigint + 1, $3::text is null, encode($4::bytea, 'hex'),
      $5::timestamptz = '2026-01-01T00:00:00.001Z'`,
  };
  const values = [null, "9007199254740990", null, "\\x00ff", "2026-01-01T01:00:00.001+01:00"];
  for (let times = 0; times < 2; times += 1) {
    const rows = await runTextStatement(database.pool, typed, values);
    assert.deepEqual(rows, [["t", "9007199254740991", "t", "00ff", "t"]]);
  }
});

test("a connection prepares it once, and others have their own", async () => {
  await using database = await testDatabase();
  const { pool } = database;
  for (let times = 0; times < 3; times += 1) await runTextStatement(pool, ECHO, ["a", "b"]);
  const [rows] = await runTextStatement(
    pool,
    { name: "count", text: "select count(*) from pg_prepared_statements where name = $1" },
    ["echo"],
  );
  assert.deepEqual(rows, ["1"]);
  const many = Array.from({ length: 8 }, (_, n) => runTextStatement(pool, ECHO, [`${n}`, "b"]));
  const answers = await Promise.all(many);
  assert.deepEqual(answers.map(([row]) => row?.[0]), ["0", "1", "2", "3", "4", "5", "6", "7"]); // prettier-ignore
});

test("it takes turns with the driver's own queries on one connection", async () => {
  await using database = await testDatabase();
  const { pool } = database;
  for (let times = 0; times < 3; times += 1) {
    assert.deepEqual((await pool.query("select 1 as one")).rows, [{ one: 1 }]);
    assert.equal((await runTextStatement(pool, ECHO, ["ours", "b"]))[0]?.[0], "ours");
    const named = { name: "named", text: "select $1::int as n", values: [7] };
    assert.deepEqual((await pool.query(named)).rows, [{ n: 7 }]);
  }
  assert.equal(pool.totalCount, 1);
});

test("what Postgres refuses is said, and the connection serves on", async () => {
  await using database = await testDatabase();
  const { pool } = database;
  const divide = { name: "divide", text: "select 1 / $1::int" };
  assert.deepEqual(await runTextStatement(pool, divide, ["1"]), [["1"]]);
  const other = { name: "divide", text: "select 2 / $1::int" };
  await assert.rejects(runTextStatement(pool, other, ["1"]), /another statement is prepared/);
  assert.deepEqual(await runTextStatement(pool, divide, ["1"]), [["1"]]);
  await assert.rejects(runTextStatement(pool, divide, ["0"]), { code: "22012" });
  assert.deepEqual(await runTextStatement(pool, divide, ["1"]), [["1"]]);
  const wrong = { name: "wrong", text: "select nothing from nowhere where a = $1" };
  for (let times = 0; times < 2; times += 1) {
    await assert.rejects(runTextStatement(pool, wrong, ["1"]), { code: "42P01" });
  }
});

test("a connection that breaks under it says so", async () => {
  await using database = await testDatabase();
  const end = { name: "end", text: "select pg_terminate_backend(pg_backend_pid()), $1::text" };
  await assert.rejects(runTextStatement(database.pool, end, ["x"]), (error) =>
    isDatabaseUnavailable(error),
  );
  assert.equal((await runTextStatement(database.pool, ECHO, ["again", "b"]))[0]?.[0], "again");
});
