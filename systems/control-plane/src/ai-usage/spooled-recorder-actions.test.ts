import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger, type Logger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import type { Database } from "@atelier/database/database";
import { createMetrics } from "@atelier/host/metrics";
import { testDirectoriesParent } from "@atelier/testkit/postgres-server";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { sql as text } from "kysely";
import { openSpool, takeOverSpools } from "../record-spool/spool-io.ts";
import type { Spool } from "../record-spool/spool.ts";
import { endOf, startOf, tokensOf, toolCall } from "./interception-samples-testkit.ts";
import { StrictRecorder } from "./interception-recorder-actions.ts";
import { RecordWriter } from "./record-writer-actions.ts";
import { createRecorderMetrics } from "./recorder-metrics.ts";
import { drainLeftSpools } from "./spool-takeover-task.ts";
import { SpooledRecorder } from "./spooled-recorder-actions.ts";
import { endInterceptions } from "./usage-record-store.ts";
import { bareEnd, ORPHAN_MESSAGE, toEndText } from "./usage-record.ts";

const NEVER = new AbortController().signal;
const REPLICA = "00000001-0000-4000-8000-000000000000";
const MIB = 1_024 * 1_024;

function makeRoot(t: TestContext): string {
  const root = mkdtempSync(join(testDirectoriesParent(), "atelier-spool-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** A way to the database that can be closed, and that can lose the outcome of a statement. */
function roadTo(database: Database) {
  const road = { isAway: false, lose: new Set<string>(), pool: database.pool };
  road.pool = new Proxy(database.pool, {
    get: (target, name) => {
      if (name !== "query") return Reflect.get(target, name) as unknown;
      const send = target.query.bind(target) as unknown as (query: unknown) => Promise<unknown>;
      return async (query: { name: string }) => {
        if (road.isAway) throw away();
        const result = await send(query);
        if (road.lose.delete(query.name)) throw away();
        return result;
      };
    },
  });
  return road;
}

function away(): Error {
  const about = { code: "ECONNREFUSED", syscall: "connect" };
  return Object.assign(new Error("connect ECONNREFUSED"), about);
}

async function recorderOn(
  root: string,
  pool: Database["pool"],
  options: { bytesMax?: number; change?: (spool: Spool) => Spool; log?: Logger } = {},
) {
  const { log = silentLogger, bytesMax: spoolBytesMax = 64 * MIB } = options;
  const registry = createMetrics();
  const metrics = createRecorderMetrics(registry);
  const writer = new RecordWriter({ database: { pool } });
  const deps = { writer, clock: systemClock, log, metrics, replicaId: REPLICA, logRecords: false };
  const own = await openSpool({ root, log, newName: () => systemRandom.uuid() });
  const spool = options.change?.(own) ?? own;
  const strict = new StrictRecorder(deps);
  const recorder = new SpooledRecorder({ ...deps, spool, spoolBytesMax, strict });
  return Object.assign(recorder, {
    render: () => registry.render(),
    [Symbol.asyncDispose]: async () => {
      await SpooledRecorder.prototype[Symbol.asyncDispose].call(recorder);
      await own[Symbol.asyncDispose]();
    },
  });
}

async function run(
  recorder: SpooledRecorder,
  start: InterceptionStart,
  end: Partial<InterceptionEnd> = {},
) {
  await recorder.start(start);
  recorder.end(endOf(start, end));
}

function takeOver(database: Pick<Database, "pool">, root: string): Promise<number> {
  const metrics = createRecorderMetrics(createMetrics()).drain;
  const deps = { database, clock: systemClock, log: silentLogger, metrics };
  const stop = NEVER;
  return drainLeftSpools({ ...deps, takeOver: () => takeOverSpools(root, silentLogger) }, stop);
}

async function totalsIn(database: TestDatabase) {
  const { rows } = await text<Record<string, number>>`
    select (select count(*) from ai_interceptions) as interceptions,
      (select count(*) from ai_interceptions where ended_at is null) as open,
      (select count(*) from ai_token_usages) as tokens,
      (select count(*) from ai_user_prompts) as prompts,
      (select count(*) from ai_tool_usages) as tools,
      coalesce(sum(input_tokens), 0)::bigint as input_tokens,
      coalesce(sum(interceptions), 0)::bigint as counted
    from ai_sessions`.execute(database.sql);
  return rows[0];
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadlineMs = performance.now() + 60_000; !(await holds());) {
    assert.ok(performance.now() < deadlineMs, String(holds));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const whole = (count: number, inputTokens: number) => ({
  interceptions: count,
  open: 0,
  tokens: count,
  prompts: count,
  tools: count,
  input_tokens: inputTokens,
  counted: count,
});

const prompt = { responseId: "m", prompt: "Fix it" };

test("requests go on while the database is away, and each is recorded once when it is back", async (t) => {
  await using database = await testDatabase();
  const road = roadTo(database);
  await using recorder = await recorderOn(makeRoot(t), road.pool);
  const record = async (index: number): Promise<void> => {
    const startedAt = new Date(Date.now() - 20_000);
    const start = startOf({ clientSessionId: `s${index % 3}`, startedAt });
    await run(recorder, start, {
      tokens: [tokensOf(index)],
      prompts: [prompt],
      toolCalls: [toolCall(`${index}`)],
    });
  };
  await Promise.all(Array.from({ length: 20 }, (_, index) => record(index)));
  await recorder.drain(NEVER);
  assert.deepEqual(await totalsIn(database), whole(20, 190));
  road.isAway = true;
  await Promise.all(Array.from({ length: 300 }, (_, index) => record(index)));
  await until(async () => /atelier_recorder_spool_records 600\n/.test(await recorder.render()));
  await until(async () => /drain_failures_total [1-9]/.test(await recorder.render()));
  assert.match(await recorder.render(), /atelier_recorder_spool_oldest_seconds [2-9]\d/);
  // Statements are also committed without our hearing of it.
  for (const name of ["insert_interceptions", "end_interceptions", "touch_sessions"]) road.lose.add(name); // prettier-ignore
  road.isAway = false;
  await recorder.drain(NEVER);
  assert.deepEqual(await totalsIn(database), whole(320, 190 + 44_850));
  assert.match(await recorder.render(), /atelier_recorder_spool_records 0\n/);
});

test("what a killed server left is brought once, even when it had been brought before", async (t) => {
  await using database = await testDatabase();
  const road = roadTo(database);
  const root = makeRoot(t);
  const starts = Array.from({ length: 30 }, () => startOf({ clientSessionId: "s" }));
  const [unended, ...ended] = starts;
  {
    await using recorder = await recorderOn(root, road.pool);
    for (const start of ended.slice(0, 10)) await run(recorder, start, { tokens: [tokensOf(1)] });
    await recorder.drain(NEVER);
    road.isAway = true;
    for (const start of ended.slice(10)) await run(recorder, start, { tokens: [tokensOf(1)] });
    await recorder.start(unended!);
  }
  assert.equal(readdirSync(root).length, 1);
  road.isAway = false;
  road.lose.add("end_interceptions");
  assert.ok((await takeOver({ pool: road.pool }, root)) > 0);
  const { rows } = await text<{ count: number }>`
    select count(*) as count from ai_interceptions where key_reason = 'first'`.execute(
    database.sql,
  );
  assert.deepEqual(rows, [{ count: 29 }], "how they were served is known");
  assert.deepEqual(readdirSync(root), []);
  const totals = await totalsIn(database);
  assert.deepEqual(
    [totals?.["interceptions"], totals?.["open"], totals?.["input_tokens"], totals?.["counted"]],
    [30, 1, 29, 29],
  );
});

test("a full spool records as in strict: in Postgres, or not at all", async (t) => {
  await using database = await testDatabase();
  const road = roadTo(database);
  await using recorder = await recorderOn(makeRoot(t), road.pool, { bytesMax: 100 });
  road.isAway = true;
  const first = startOf();
  await recorder.start(first);
  await assert.rejects(recorder.start(startOf()), /record/);
  recorder.end(endOf(first, { tokens: [tokensOf(5)] }));
  await until(async () => /recorder_spool_records 2\n/.test(await recorder.render()));
  road.isAway = false;
  const direct = startOf();
  await recorder.start(direct);
  const { rows } = await text`select 1 from ai_interceptions where id = ${direct.id}`.execute(
    database.sql,
  );
  assert.equal(rows.length, 1, "at once");
  recorder.end(endOf(direct, { tokens: [tokensOf(7)] }));
  await recorder.drain(NEVER);
  const totals = await totalsIn(database);
  assert.deepEqual([totals?.["interceptions"], totals?.["open"], totals?.["input_tokens"]], [2, 0, 12]); // prettier-ignore
  assert.match(await recorder.render(), /recorder_spool_full_total 2\n/);
});

test("a start that the disk refuses is refused, and an end waits in memory for its turn", async (t) => {
  await using database = await testDatabase();
  const road = roadTo(database);
  let isBroken = false;
  const change = (spool: Spool): Spool => ({
    append: (payloads) => isBroken ? Promise.reject(new Error("ENOSPC")) : spool.append(payloads), // prettier-ignore
    read: (bytesMax) => spool.read(bytesMax),
    release: (batch) => spool.release(batch),
    get bytes() {
      return spool.bytes;
    },
  });
  await using recorder = await recorderOn(makeRoot(t), road.pool, { change });
  road.isAway = true;
  const start = startOf();
  await recorder.start(start);
  isBroken = true;
  await assert.rejects(recorder.start(startOf()), /record/);
  recorder.end(endOf(start, { tokens: [tokensOf(3)] }));
  await until(async () => /recorder_spool_records 2\n/.test(await recorder.render()));
  road.isAway = false;
  await recorder.drain(NEVER);
  const totals = await totalsIn(database);
  assert.deepEqual([totals?.["interceptions"], totals?.["open"], totals?.["input_tokens"]], [1, 0, 3]); // prettier-ignore
});

test("a conversation stays one thread: with the memory of this server, and without", async (t) => {
  await using database = await testDatabase();
  const road = roadTo(database);
  const root = makeRoot(t);
  const [first, second, third] = [
    startOf(),
    startOf({ correlatingToolCallId: "t1" }),
    startOf({ correlatingToolCallId: "t2" }),
  ];
  {
    await using recorder = await recorderOn(root, road.pool);
    await recorder.start(first);
    await recorder.drain(NEVER);
    road.isAway = true;
    recorder.end(endOf(first, { toolCalls: [toolCall("t1")] }));
    await run(recorder, second, { toolCalls: [toolCall("t2")] });
    await run(recorder, third);
    await until(async () => /recorder_spool_records 5\n/.test(await recorder.render()));
    await assert.doesNotReject(recorder.drain(AbortSignal.timeout(50)), "it is on the disk");
  }
  road.isAway = false;
  await takeOver({ pool: road.pool }, root);
  const { rows } = await text`
    select id, thread_parent_id as parent, thread_root_id as root, session_id as session
    from ai_interceptions order by thread_root_id nulls first, thread_parent_id = ${second.id}`.execute(
    database.sql,
  );
  assert.deepEqual(rows, [
    { id: first.id, parent: null, root: null, session: first.id },
    { id: second.id, parent: first.id, root: first.id, session: first.id },
    { id: third.id, parent: second.id, root: first.id, session: first.id },
  ]);
  const sessions = await text`select threads, interceptions from ai_sessions`.execute(database.sql);
  assert.deepEqual(sessions.rows, [{ threads: 1, interceptions: 3 }]);
});

test("the end of a request that another server took for dead replaces the guess", async (t) => {
  await using database = await testDatabase();
  await using recorder = await recorderOn(makeRoot(t), database.pool);
  const start = startOf({ clientSessionId: "s" });
  await recorder.start(start);
  await recorder.drain(NEVER);
  const error = { type: "unknown", message: ORPHAN_MESSAGE } as const;
  await endInterceptions(database.pool, [toEndText(bareEnd({ ...start, endedAt: new Date(), error }))]); // prettier-ignore
  recorder.end(endOf(start, { tokens: [tokensOf(4)] }));
  await recorder.drain(NEVER);
  const { rows } = await text`
    select interceptions, errors, input_tokens from ai_sessions`.execute(database.sql);
  assert.deepEqual(rows, [{ interceptions: 1, errors: 0, input_tokens: 4 }]);
});

test("a record that Postgres refuses is lost alone, with a line and a count", async (t) => {
  await using database = await testDatabase();
  await text`alter table ai_tool_usages add check (tool <> 'forbidden')`.execute(database.sql);
  await using recorder = await recorderOn(makeRoot(t), database.pool);
  for (let index = 0; index < 9; index += 1) {
    const tool = index === 4 ? "forbidden" : "bash";
    const toolCalls = [{ ...toolCall(`${index}`), tool }];
    await run(recorder, startOf({ clientSessionId: "s" }), { toolCalls, tokens: [tokensOf(1)] });
  }
  await recorder.drain(NEVER);
  const totals = await totalsIn(database);
  assert.deepEqual([totals?.["interceptions"], totals?.["input_tokens"]], [9, 8]);
  assert.match(await recorder.render(), /recorder_dropped_total\{reason="refused"\} 1/);
});
