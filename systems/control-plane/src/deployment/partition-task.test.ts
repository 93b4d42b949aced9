import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase } from "@atelier/testkit/test-database";
import { listPartitions } from "./partition-store.ts";
import { tidyTable } from "./partition-task.ts";

const DAY_MS = 86_400_000;

async function insertAt(database: Database, time: string): Promise<void> {
  await database.pool.query(
    `insert into audit_events (id, time, action, resource_type, status_code)
     values (gen_random_uuid(), $1, 'create', 'user', 201)`,
    [time],
  );
}

async function monthsOf(database: Database): Promise<string[]> {
  const names = await listPartitions(database.sql, "audit_events");
  return names.map((name) => name.replace("audit_events_", ""));
}

test("coming months get partitions, also when they exist already", async () => {
  await using database = await testDatabase();
  const clock = new FakeClock();
  await clock.advance(3_650 * DAY_MS);
  const deps = { database, clock, log: silentLogger };
  const table = { table: "audit_events", timeColumn: "time", retentionMs: 0 };
  await tidyTable(deps, table);
  await tidyTable(deps, table);
  const months = await monthsOf(database);
  for (const month of ["2035_12", "2036_01", "2036_02"]) assert.ok(months.includes(month), month);
});

test("what is past retention goes: whole months at once, and the rest of a month row by row", async () => {
  await using database = await testDatabase();
  const clock = new FakeClock();
  await clock.advance(3_650 * DAY_MS);
  await database.pool.query(
    "select ensure_month_partitions('audit_events', '2035-09-01', '2035-10-01')",
  );
  for (const time of [
    "2030-01-01T00:00:00Z", // In the default partition.
    "2035-09-30T00:00:00Z",
    "2035-10-01T00:00:00Z",
    "2035-10-31T00:00:00Z",
    "2035-12-01T00:00:00Z",
  ]) {
    await insertAt(database, time);
  }
  const table = { table: "audit_events", timeColumn: "time", retentionMs: 60 * DAY_MS };
  await tidyTable({ database, clock, log: silentLogger }, table);
  const { rows } = await database.pool.query("select time from audit_events order by time");
  assert.deepEqual(
    rows.map((row: { time: Date }) => row.time.toISOString().slice(0, 10)),
    ["2035-10-31", "2035-12-01"],
  );
  const months = await monthsOf(database);
  assert.ok(!months.includes("2035_09"));
  assert.ok(months.includes("2035_10") && months.includes("default"));
});
