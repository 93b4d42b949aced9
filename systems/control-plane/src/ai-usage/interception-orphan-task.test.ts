import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { createMetrics } from "@atelier/host/metrics";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { sql as text } from "kysely";
import { endOrphans, startOrphanTask } from "./interception-orphan-task.ts";
import { endOf, startOf, tokensOf } from "./interception-samples-testkit.ts";
import { createInterceptionRecorder } from "./interception-recorder-actions.ts";
import { endInterceptions } from "./usage-record-store.ts";
import { ORPHAN_MESSAGE, toEndText } from "./usage-record.ts";

const NEVER = new AbortController().signal;
const OWN = "0000000a-0000-4000-8000-000000000000";
const OTHER = "0000000b-0000-4000-8000-000000000000";

function ago(seconds: number): Date {
  return new Date(Math.floor(systemClock.now().getTime() / 1_000) * 1_000 - seconds * 1_000);
}

function recorderOf(database: TestDatabase, replicaId: string) {
  return createInterceptionRecorder({
    database,
    clock: systemClock,

    log: silentLogger,
    metrics: createMetrics(),
    replicaId,
    logRecords: false,
  });
}

async function heartbeat(database: TestDatabase, replicaId: string, at: Date): Promise<void> {
  await text`
    insert into replicas (id, hostname, version, started_at, heartbeat_at)
    values (${replicaId}, 'h', 'v', ${at}, ${at})`.execute(database.sql);
}

/** One round of the task, on the server OWN. */
function round(database: TestDatabase): Promise<number> {
  const deps = { database, clock: systemClock, log: silentLogger };
  return endOrphans({ ...deps, replicaId: OWN });
}

async function endOfOnly(database: TestDatabase) {
  const { rows } = await text<{ ended_at: Date | null; error_type: string; error_message: string }>`
    select ended_at, error_type, error_message from ai_interceptions`.execute(database.sql);
  return rows[0];
}

const CASES: [name: string, replica: string, startedAgo: number, heartbeatAgo: number | null, ended: number][] = [
  ["of a server that is silent for a minute is ended", OTHER, 300, 61, 1],
  ["of a server that nobody knows is ended", OTHER, 300, null, 1],
  ["of a living server stays", OTHER, 300, 50, 0],
  ["that has just begun stays: its server may not have registered yet", OTHER, 10, null, 0],
  ["of this very server stays, however late its sign of life", OWN, 300, 999, 0],
]; // prettier-ignore
for (const [name, replicaId, startedAgo, heartbeatAgo, ended] of CASES) {
  test(`an interception ${name}`, async () => {
    await using database = await testDatabase();
    await using recorder = recorderOf(database, replicaId);
    await recorder.start(startOf({ startedAt: ago(startedAgo) }));
    if (heartbeatAgo !== null) await heartbeat(database, replicaId, ago(heartbeatAgo));
    assert.equal(await round(database), ended);
    assert.equal(await round(database), 0, "and not again");
  });
}

test("it ends with the server's last sign of life, and its session shows that", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOf(database, OTHER);
  const start = startOf({ startedAt: ago(300), clientSessionId: "s" });
  await recorder.start(start);
  const lastAt = ago(100);
  await heartbeat(database, OTHER, lastAt);
  await round(database);
  const message = "the server stopped before this request ended";
  assert.deepEqual(await endOfOnly(database), {
    ended_at: lastAt,
    error_type: "unknown",
    error_message: message,
  });
  const { rows } = await text`
    select ended_at, interceptions, errors, threads from ai_sessions`.execute(database.sql);
  assert.deepEqual(rows, [{ ended_at: lastAt, interceptions: 1, errors: 1, threads: 1 }]);
});

test("after an outage others get time for a sign of life before they count as dead", async () => {
  const clock = new FakeClock();
  const asked: string[] = [];
  let isAway = false;
  const query = async (statement: string) => {
    asked.push(statement.endsWith("select 1") ? "is it back?" : "orphans?");
    if (isAway) throw new Error("away");
    return { rows: [] };
  };
  const database = { pool: { query } as unknown as TestDatabase["pool"] };
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const run = (_: string, work: (signal: AbortSignal) => Promise<void>): void => {
    running.push(work(stop.signal).catch(() => {}));
  };
  startOrphanTask({ database, clock, log: silentLogger, replicaId: OWN, tasks: { run } });
  await new Promise((resolve) => setImmediate(resolve));
  isAway = true;
  await clock.advance(60_000);
  isAway = false;
  await clock.advance(60_000);
  assert.deepEqual(asked, ["orphans?", "orphans?", "is it back?", "is it back?", "orphans?"]);
  stop.abort(new Error("over"));
  await Promise.all(running);
});

test("the true end of a server taken for dead replaces the guess and counts once", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOf(database, OTHER);
  const start = startOf({ startedAt: ago(300), clientSessionId: "s" });
  await recorder.start(start);
  assert.equal(await round(database), 1);
  const end = endOf(start, { endedAt: ago(1), tokens: [tokensOf(7)] });
  recorder.end(end);
  await recorder.drain(NEVER);
  recorder.end(end);
  await recorder.drain(NEVER);
  assert.equal(await round(database), 0);
  assert.equal((await endOfOnly(database))?.error_type, null);
  const { rows } = await text`
    select interceptions, errors, input_tokens from ai_sessions`.execute(database.sql);
  assert.deepEqual(rows, [{ interceptions: 1, errors: 0, input_tokens: 7 }]);
});

test("servers that reconcile at once count each interception once", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOf(database, OTHER);
  const starts = Array.from({ length: 250 }, () =>
    startOf({ startedAt: ago(300), clientSessionId: "s" }),
  );
  await Promise.all(starts.map((start) => recorder.start(start)));
  const ended = await Promise.all([round(database), round(database), round(database)]);
  assert.equal(ended.reduce((sum, each) => sum + each, 0), 250); // prettier-ignore
  const { rows } = await text`select interceptions from ai_sessions`.execute(database.sql);
  assert.deepEqual(rows, [{ interceptions: 250 }]);
});

test("the guess of a second server changes nothing", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOf(database, OTHER);
  const start = startOf({ startedAt: ago(300), clientSessionId: "s" });
  await recorder.start(start);
  await round(database);
  const error = { type: "unknown", message: ORPHAN_MESSAGE } as const;
  const rows = toEndText(endOf(start, { error }));
  assert.deepEqual(await endInterceptions(database.pool, [rows]), []);
});
