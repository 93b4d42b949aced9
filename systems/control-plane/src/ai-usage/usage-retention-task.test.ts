import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { sql as text } from "kysely";
import { ensureUsagePartitions, listUsagePartitions } from "./usage-retention-store.ts";
import { maintainUsageStorage } from "./usage-retention-task.ts";

const DAY_MS = 86_400_000;
const NEVER = new AbortController().signal;
const CHILDREN = ["ai_token_usages", "ai_user_prompts", "ai_tool_usages", "ai_model_thoughts"];

/** One round at 2026-03-21, which is 80 days after the fake clock's start. */
async function maintain(database: TestDatabase, retentionDays: number): Promise<void> {
  const clock = new FakeClock();
  await clock.advance(79 * DAY_MS);
  const retentionMs = retentionDays * DAY_MS;
  const totalsRetentionMs = 2 * retentionMs;
  const deps = { database, clock, log: silentLogger, retentionMs, totalsRetentionMs };
  await maintainUsageStorage(deps, NEVER);
}

/** An interception with a row in each of the other tables, and a session of the same time. */
async function insertAt(database: TestDatabase, time: string): Promise<void> {
  await text`
    with i as (
      insert into ai_interceptions (id, started_at, ended_at, initiator_id, api_key_id, provider,
        provider_name, model, client, session_id, credential_kind, replica_id)
      select gen_random_uuid(), ${time}::timestamptz, now(), gen_random_uuid(), 'k', 'p', 'p', 'm',
        'c', ${time}, 'byok', gen_random_uuid()
      returning *
    ), t as (
      insert into ai_token_usages (id, started_at, interception_id, provider_response_id,
        input_tokens, output_tokens, cache_read_input_tokens, cache_write_input_tokens, created_at)
      select gen_random_uuid(), started_at, id, '', 1, 1, 1, 1, started_at from i
    ), p as (
      insert into ai_user_prompts (id, started_at, interception_id, provider_response_id, prompt, created_at)
      select gen_random_uuid(), started_at, id, '', 'p', started_at from i
    ), u as (
      insert into ai_tool_usages (id, started_at, interception_id, initiator_id,
        provider_response_id, provider_tool_call_id, tool, input, created_at)
      select gen_random_uuid(), started_at, id, initiator_id, '', '', 't', 'i', started_at from i
    ), h as (
      insert into ai_model_thoughts (id, started_at, interception_id, content, source, created_at)
      select gen_random_uuid(), started_at, id, 'c', 'thinking', started_at from i
    )
    insert into ai_sessions (initiator_id, session_id, client, providers, provider_names, models,
      started_at, last_active_at)
    select initiator_id, session_id, client, '{}', '{}', '{}', started_at, started_at from i
  `.execute(database.sql);
}

async function startsIn(database: TestDatabase, table: string): Promise<string[]> {
  const { rows } = await text<{ time: Date }>`
    select started_at as time from ${text.table(table)} order by started_at`.execute(database.sql);
  return rows.map(({ time }) => time.toISOString());
}

async function monthsOf(database: TestDatabase): Promise<string[]> {
  const partitions = await listUsagePartitions(database.sql);
  return [...new Set(partitions.map(({ month }) => month.toISOString().slice(0, 7)))];
}

test("whole months before the cutoff are dropped, the month of the cutoff is thinned", async () => {
  await using database = await testDatabase();
  const range = { first: new Date("2025-12-05"), last: new Date("2026-03-01") };
  await database.transaction((sql) => ensureUsagePartitions(sql, range));
  // The cutoff is 2026-01-21 at midnight. 2025-10 has no partition of its own.
  const old = ["2025-10-01T00:00:00.000Z", "2025-12-31T23:59:59.999Z", "2026-01-20T23:59:59.999Z"];
  const kept = ["2026-01-21T00:00:00.000Z", "2026-02-01T00:00:00.000Z", "2026-03-20T00:00:00.000Z"];
  for (const time of [...old, ...kept]) await insertAt(database, time);
  await maintain(database, 59);
  for (const table of ["ai_interceptions", "ai_sessions", ...CHILDREN]) {
    assert.deepEqual(await startsIn(database, table), kept, table);
  }
  const months = await monthsOf(database);
  assert(!months.includes("2025-12"));
  assert(months.includes("2026-01"));
});

test("a month that ends at the cutoff is dropped, with nothing left of any table", async () => {
  await using database = await testDatabase();
  const range = { first: new Date("2026-01-01"), last: new Date("2026-01-01") };
  await database.transaction((sql) => ensureUsagePartitions(sql, range));
  await insertAt(database, "2026-01-31T23:59:59.999Z");
  await maintain(database, 48);
  assert(!(await monthsOf(database)).includes("2026-01"));
  for (const table of CHILDREN) assert.deepEqual(await startsIn(database, table), []);
});

test("a retention of zero keeps everything", async () => {
  await using database = await testDatabase();
  await insertAt(database, "2001-01-01T00:00:00.000Z");
  await maintain(database, 0);
  assert.equal((await startsIn(database, "ai_interceptions")).length, 1);
});

test("partitions are made two months ahead, also by several servers at once", async () => {
  await using database = await testDatabase();
  await Promise.all([maintain(database, 0), maintain(database, 0), maintain(database, 0)]);
  const months = await monthsOf(database);
  for (const month of ["2026-03", "2026-04", "2026-05"]) assert(months.includes(month), month);
});

test("more than one batch is deleted in one round", async () => {
  await using database = await testDatabase();
  await text`
    insert into ai_sessions (initiator_id, session_id, client, providers, provider_names, models,
      started_at, last_active_at)
    select gen_random_uuid(), n::text, 'c', '{}', '{}', '{}', '2020-01-01', '2020-01-01'
    from generate_series(1, 2500) as n`.execute(database.sql);
  await maintain(database, 1);
  assert.deepEqual(await startsIn(database, "ai_sessions"), []);
});
