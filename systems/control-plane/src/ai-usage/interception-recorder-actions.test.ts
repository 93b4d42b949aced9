import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, type Logger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import type {
  InterceptionEnd,
  InterceptionRecorder,
  InterceptionStart,
} from "@atelier/contract/rpc/gateway-ports";
import { newClient, type Database } from "@atelier/database/database";
import { createMetrics } from "@atelier/host/metrics";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { sql as text } from "kysely";
import {
  ANN,
  ENDED,
  endOf,
  STARTED,
  startOf,
  tokensOf,
  toolCall,
} from "./interception-samples-testkit.ts";
import { createInterceptionRecorder } from "./interception-recorder-actions.ts";
import { ORPHAN_MESSAGE } from "./usage-record.ts";
import { USAGE_TEXT_BYTES_MAX } from "./usage-text.ts";

const REPLICA = "00000001-0000-4000-8000-000000000000";
const BOB = "0000000b-0000-4000-8000-000000000000";
const NEVER = new AbortController().signal;

function recorderOn(database: Pick<Database, "pool">, log: Logger = silentLogger) {
  const metrics = createMetrics();
  const recorder = createInterceptionRecorder({
    database,
    clock: systemClock,

    log,
    metrics,
    replicaId: REPLICA,
    logRecords: log !== silentLogger,
  });
  return Object.assign(recorder, { metrics });
}

/** A pool whose connection breaks right after the statement of this name has been committed. */
function losing(database: Database, statement: string, isLost: () => boolean): Database["pool"] {
  return new Proxy(database.pool, {
    get: (target, name) => {
      if (name !== "query") return Reflect.get(target, name) as unknown;
      const send = target.query.bind(target) as unknown as (query: unknown) => Promise<unknown>;
      return async (query: { name: string }) => {
        const result = await send(query);
        if (query.name !== statement || !isLost()) return result;
        throw Object.assign(new Error("Connection terminated unexpectedly"), {
          code: "ECONNRESET",
        });
      };
    },
  });
}

async function run(recorder: InterceptionRecorder, start: InterceptionStart, end?: Partial<InterceptionEnd>) {
  await recorder.start(start);
  recorder.end(endOf(start, end));
} // prettier-ignore

async function rowsOf<Row>(database: TestDatabase, table: string): Promise<Row[]> {
  const { rows } = await text<Row>`select * from ${text.table(table)}`.execute(database.sql);
  return rows;
}

type InterceptionRow = {
  readonly id: string;
  readonly session_id: string;
  readonly thread_parent_id: string | null;
  readonly thread_root_id: string | null;
};

async function lineageOf(database: TestDatabase, id: string) {
  const rows = await rowsOf<InterceptionRow>(database, "ai_interceptions");
  const row = rows.find((each) => each.id === id);
  assert(row !== undefined);
  return { parent: row.thread_parent_id, root: row.thread_root_id, session: row.session_id };
}

test("a start is on the disk of the database when its promise resolves", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  const start = startOf({
    clientSessionId: "s1",
    credentialKind: "byok",
    credentialHint: "sk...yz",
  });
  await recorder.start(start);
  const other = newClient(database.connection, "another connection");
  await other.connect();
  const { rows } = await other.query("select * from ai_interceptions");
  await other.end();
  assert.deepEqual(rows, [
    {
      id: start.id,
      started_at: STARTED,
      ended_at: null,
      initiator_id: ANN,
      api_key_id: "key1",
      provider: "anthropic",
      provider_name: "claude",
      model: "claude-sonnet",
      client: "Claude Code",
      client_session_id: "s1",
      session_id: "s1",
      thread_parent_id: null,
      thread_root_id: null,
      credential_kind: "byok",
      credential_hint: "sk...yz",
      metadata: { request_user_agent: "claude-cli/2" },
      error_type: null,
      error_message: null,
      replica_id: REPLICA,
      key_reason: null,
      trail: null,
    },
  ]);
});

test("a start that cannot be durable rejects", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  await text`alter table ai_interceptions rename to hidden`.execute(database.sql);
  await assert.rejects(recorder.start(startOf()), /record/);
  await text`alter table hidden rename to ai_interceptions`.execute(database.sql);
  await recorder.start(startOf());
});

test("many starts at once are all durable, in few statements", async () => {
  await using database = await testDatabase();
  let statements = 0;
  const pool = new Proxy(database.pool, {
    get: (target, name) => {
      if (name === "query") statements += 1;
      return Reflect.get(target, name) as unknown;
    },
  });
  await using recorder = recorderOn({ pool });
  const starts = Array.from({ length: 504 }, () => startOf());
  await Promise.all(starts.map((start) => recorder.start(start)));
  assert(statements <= 20, `${statements} statements`);
  assert.equal((await rowsOf(database, "ai_interceptions")).length, 504);
});

test("everything of an end is stored with its fields and in its order", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  const start = startOf();
  await run(recorder, start, {
    tokens: [tokensOf(10)],
    prompts: [{ responseId: "msg_1", prompt: "Fix it" }],
    toolCalls: [toolCall("t1"), { ...toolCall("t2"), tool: "edit", input: "raw" }],
    thoughts: [
      { source: "thinking", content: "hm" },
      { source: "commentary", content: "so" },
    ],
    error: { type: "overloaded", message: "529" },
  });
  await recorder.drain(NEVER);
  const [row] = await rowsOf<Record<string, unknown>>(database, "ai_interceptions");
  assert.deepEqual(
    [row?.["ended_at"], row?.["credential_hint"], row?.["error_type"], row?.["error_message"]],
    [ENDED, "sk-a...z", "overloaded", "529"],
  );
  const [tokens] = await rowsOf<Record<string, unknown>>(database, "ai_token_usages");
  assert.deepEqual(tokens, {
    id: tokens?.["id"],
    started_at: STARTED,
    interception_id: start.id,
    provider_response_id: "msg_1",
    input_tokens: 10,
    output_tokens: 2,
    cache_read_input_tokens: 3,
    cache_write_input_tokens: 4,
    metadata: { output_reasoning: 5 },
    created_at: ENDED,
    cost_micros: null,
    price_id: null,
  });
  const inOrder = async (column: string, table: string) => {
    const { rows } = await text<{ value: string }>`
      select ${text.ref(column)} as value from ${text.table(table)} order by created_at`.execute(
      database.sql,
    );
    return rows.map(({ value }) => value);
  };
  assert.deepEqual(await inOrder("provider_tool_call_id", "ai_tool_usages"), ["t1", "t2"]);
  assert.deepEqual(await inOrder("content", "ai_model_thoughts"), ["hm", "so"]);
  assert.deepEqual(await inOrder("prompt", "ai_user_prompts"), ["Fix it"]);
});

test("a caller's own credential keeps the hint of its start", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  await run(recorder, startOf({ credentialKind: "byok", credentialHint: "mine" }));
  await recorder.drain(NEVER);
  const [row] = await rowsOf<{ credential_hint: string }>(database, "ai_interceptions");
  assert.equal(row?.credential_hint, "mine");
});

for (const kept of ["in memory", "in the database"]) {
  test(`a conversation of three is one thread and one session: callers found ${kept}`, async () => {
    await using database = await testDatabase();
    await using recorder = recorderOn(database);
    const [first, second, third] = [
      startOf(),
      startOf({ correlatingToolCallId: "t1" }),
      startOf({ correlatingToolCallId: "t2" }),
    ];
    // Another server has the memory of nothing.
    await using another = recorderOn(database);
    const next = kept === "in memory" ? recorder : another;
    await run(recorder, first, { toolCalls: [toolCall("t1")] });
    if (kept === "in the database") await recorder.drain(NEVER);
    await run(next, second, { toolCalls: [toolCall("t2")] });
    await next.drain(NEVER);
    await run(recorder, third);
    assert.deepEqual(await lineageOf(database, first.id), { parent: null, root: null, session: first.id }); // prettier-ignore
    const root = first.id;
    const session = first.id;
    assert.deepEqual(await lineageOf(database, second.id), { parent: first.id, root, session });
    assert.deepEqual(await lineageOf(database, third.id), { parent: second.id, root, session });
    await recorder.drain(NEVER);
    const sessions = await rowsOf<{ threads: number; interceptions: number }>(
      database,
      "ai_sessions",
    );
    assert.deepEqual(sessions.map((row) => [row.threads, row.interceptions]), [[1, 3]]); // prettier-ignore
  });
}

test("the same tool call id of somebody else links nothing, in memory or in the database", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  await run(recorder, startOf({ userId: BOB }), { toolCalls: [toolCall("t1")] });
  await recorder.drain(NEVER);
  await using another = recorderOn(database);
  for (const each of [recorder, another]) {
    const start = startOf({ correlatingToolCallId: "t1" });
    await each.start(start);
    const alone = { parent: null, root: null, session: start.id };
    assert.deepEqual(await lineageOf(database, start.id), alone);
  }
});

test("of several interceptions with one tool call id the latest is the caller", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  const [older, newer] = [startOf(), startOf()];
  await run(recorder, newer, {
    toolCalls: [toolCall("t")],
    endedAt: new Date("2026-11-20T11:00Z"),
  });
  await run(recorder, older, { toolCalls: [toolCall("t")] });
  await recorder.drain(NEVER);
  await using another = recorderOn(database);
  const start = startOf({ correlatingToolCallId: "t" });
  await another.start(start);
  assert.equal((await lineageOf(database, start.id)).parent, newer.id);
});

test("the client's session id wins, and the thread is linked all the same", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  const first = startOf({ clientSessionId: "one" });
  await run(recorder, first, { toolCalls: [toolCall("t")] });
  const next = startOf({ clientSessionId: "two", correlatingToolCallId: "t" });
  await recorder.start(next);
  const want = { parent: first.id, root: first.id, session: "two" };
  assert.deepEqual(await lineageOf(database, next.id), want);
});

test("a session sums up what went through it", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  const at = (second: number) => new Date(STARTED.getTime() + second * 1_000);
  const session = { clientSessionId: "s" };
  const late = startOf({ ...session, startedAt: at(9), model: "opus" });
  const early = startOf({ ...session, provider: { type: "openai", name: "o" } });
  const third = startOf({ ...session, startedAt: at(20) });
  await run(recorder, late, {
    tokens: [tokensOf(10), tokensOf(1)],
    prompts: [{ responseId: "m", prompt: "later" }],
    endedAt: at(30),
  });
  await recorder.drain(NEVER);
  await run(recorder, early, {
    tokens: [tokensOf(100)],
    prompts: [{ responseId: "m", prompt: "earlier" }],
    error: { type: "timeout", message: "x" },
    endedAt: at(2),
  });
  await recorder.start(third);
  await recorder.drain(NEVER);
  const [row] = await rowsOf(database, "ai_sessions");
  assert.deepEqual(row, {
    initiator_id: ANN,
    session_id: "s",
    client: "Claude Code",
    providers: ["anthropic", "openai"],
    provider_names: ["claude", "o"],
    models: ["claude-sonnet", "opus"],
    metadata: { request_user_agent: "claude-cli/2" },
    started_at: STARTED,
    ended_at: at(30),
    last_active_at: at(20),
    threads: 2,
    interceptions: 2,
    errors: 1,
    input_tokens: 111,
    output_tokens: 6,
    cache_read_input_tokens: 9,
    cache_write_input_tokens: 12,
    cost_micros: 0,
    priced_interceptions: 0,
    unpriced_interceptions: 2,
    last_prompt: "later",
    last_prompt_at: at(9),
  });
  const values = await rowsOf<{ kind: string; value: string }>(database, "ai_filter_values");
  assert.deepEqual(values.map(({ kind, value }) => `${kind} ${value}`).toSorted(), [
    "client Claude Code",
    "model claude-sonnet",
    "model opus",
    "provider claude",
    "provider o",
  ]); // prettier-ignore
});

test("an end that comes twice, or of nothing, counts nothing", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  const start = startOf();
  await run(recorder, start, { tokens: [tokensOf(10)] });
  recorder.end(endOf(start, { tokens: [tokensOf(10)], error: { type: "unknown", message: "x" } }));
  recorder.end(endOf(startOf(), { tokens: [tokensOf(10)] }));
  await recorder.drain(NEVER);
  const [session, none] = await rowsOf<{ input_tokens: number; interceptions: number; errors: number }>(database, "ai_sessions"); // prettier-ignore
  assert.equal(none, undefined);
  assert.deepEqual([session?.input_tokens, session?.interceptions, session?.errors], [10, 1, 0]);
  assert.equal((await rowsOf(database, "ai_token_usages")).length, 1);
});

test("sums stay exact while connections are killed again and again", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  const admin = newClient(database.connection, "killer");
  await admin.connect();
  const kill = () =>
    admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`);
  const durable: InterceptionStart[] = [];
  for (let round = 0; round < 12; round += 1) {
    const starts = Array.from({ length: 60 }, (_, index) =>
      startOf({ clientSessionId: `s${index % 7}` }),
    );
    const started = Promise.allSettled(starts.map((start) => recorder.start(start)));
    if (round % 3 === 1) await kill();
    for (const [index, outcome] of (await started).entries()) {
      const start = starts[index];
      if (outcome.status === "rejected" || start === undefined) continue;
      durable.push(start);
      recorder.end(endOf(start, { tokens: [tokensOf(index)], toolCalls: [toolCall(`${index}`)] }));
    }
    if (round % 3 === 2) await kill();
  }
  await recorder.drain(NEVER);
  await admin.end();
  assert(durable.length > 300);
  const { rows } = await text`
    select sum(input_tokens)::bigint as tokens, sum(interceptions)::bigint as interceptions,
      (select sum(input_tokens)::bigint from ai_token_usages) as ledger,
      (select count(*) from ai_tool_usages) as tools
    from ai_sessions`.execute(database.sql);
  const ids = new Set(durable.map(({ id }) => id));
  assert.equal(ids.size, durable.length);
  const { rows: ended } = await text<{ id: string }>`
    select id from ai_interceptions where ended_at is not null`.execute(database.sql);
  const count = durable.length;
  assert.deepEqual(new Set(ended.map(({ id }) => id)), ids);
  const { rows: inputs } = await text<{ sum: number }>`
    select sum(input_tokens)::bigint as sum from ai_token_usages`.execute(database.sql);
  const tokens = inputs[0]?.sum;
  assert.deepEqual(rows, [{ tokens, interceptions: count, ledger: tokens, tools: count }]);
});

test("a batch whose outcome was lost is written again and counts once", async () => {
  await using database = await testDatabase();
  let losses = 0;
  const pool = losing(database, "end_interceptions", () => (losses += 1) <= 2);
  await using recorder = recorderOn({ pool });
  const start = startOf({ clientSessionId: "s" });
  await run(recorder, start, {
    tokens: [tokensOf(10)],
    prompts: [{ responseId: "", prompt: "p" }],
  });
  await recorder.drain(NEVER);
  assert(losses > 2);
  const [row] = await rowsOf<{ input_tokens: number; interceptions: number }>(
    database,
    "ai_sessions",
  );
  assert.deepEqual([row?.input_tokens, row?.interceptions], [10, 1]);
  assert.equal((await rowsOf(database, "ai_user_prompts")).length, 1);
});

test("a start whose outcome was lost is tried once more, and is there once", async () => {
  await using database = await testDatabase();
  let losses = 1;
  const pool = losing(database, "insert_interceptions", () => losses-- > 0);
  await using recorder = recorderOn({ pool });
  await recorder.start(startOf());
  assert.equal((await rowsOf(database, "ai_interceptions")).length, 1);
});

test("an end that another server writes in the same moment, as of the dead, is not lost", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  const start = startOf();
  await recorder.start(start);
  await database.transaction(async (sql) => {
    await text`
      update ai_interceptions
      set ended_at = now(), error_type = 'unknown', error_message = ${ORPHAN_MESSAGE}`.execute(sql);
    recorder.end(endOf(start, { tokens: [tokensOf(7)] }));
    for (let waiting = 0; waiting === 0;) {
      const { rows } = await text`
        select pid from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(database.sql);
      waiting = rows.length;
    }
  });
  await recorder.drain(NEVER);
  const [row] = await rowsOf<{ ended_at: Date; error_type: string }>(database, "ai_interceptions");
  assert.deepEqual([row?.ended_at, row?.error_type], [ENDED, null]);
  const [session] = await rowsOf<{ input_tokens: number }>(database, "ai_sessions");
  assert.equal(session?.input_tokens, 7);
});

test("what Postgres cannot hold is replaced, what is too long is cut, and neighbours are stored", async () => {
  await using database = await testDatabase();
  await using recorder = recorderOn(database);
  const evil = "a\0b\ud800c";
  const long = "漢".repeat(200_000);
  const bad = startOf({ model: evil, client: evil, userAgent: evil, clientSessionId: evil });
  await run(recorder, bad, {
    prompts: [{ responseId: evil, prompt: evil }],
    toolCalls: [{ ...toolCall(evil), tool: evil, input: long }],
    thoughts: [{ source: "thinking", content: evil }],
    tokens: [tokensOf(Number.NaN), tokensOf(-1), tokensOf(1e300)],
    error: { type: "unknown", message: evil },
  });
  await run(recorder, startOf());
  await recorder.drain(NEVER);
  const [prompt] = await rowsOf<{ prompt: string }>(database, "ai_user_prompts");
  assert.equal(prompt?.prompt, "a\u{fffd}b\u{fffd}c");
  const [tool] = await rowsOf<{ input: string }>(database, "ai_tool_usages");
  assert.equal(Buffer.byteLength(tool?.input ?? ""), USAGE_TEXT_BYTES_MAX - 1);
  const { rows } = await text`
    select id from ai_interceptions where ended_at is null`.execute(database.sql);
  assert.deepEqual(rows, []);
});

test("one record that the database refuses is lost alone, with a line and a count", async () => {
  await using database = await testDatabase();
  await text`alter table ai_tool_usages add check (tool <> 'forbidden')`.execute(database.sql);
  await using recorder = recorderOn(database);
  const starts = Array.from({ length: 9 }, () => startOf({ clientSessionId: "s" }));
  await Promise.all(starts.map((start) => recorder.start(start)));
  for (const [index, start] of starts.entries()) {
    const tool = index === 4 ? "forbidden" : "bash";
    recorder.end(endOf(start, { toolCalls: [{ ...toolCall("t"), tool }], tokens: [tokensOf(1)] }));
  }
  await recorder.drain(NEVER);
  const [row] = await rowsOf<{ input_tokens: number; interceptions: number }>(
    database,
    "ai_sessions",
  );
  assert.deepEqual([row?.input_tokens, row?.interceptions], [8, 8]);
  assert.match(await recorder.metrics.render(), /recorder_dropped_total\{reason="refused"\} 1/);
});

test("with logging on, the start and the end are logged", async () => {
  await using database = await testDatabase();
  const types: unknown[] = [];
  const info = (fields: object) => types.push((fields as Record<string, unknown>)["record_type"]);
  await using recorder = recorderOn(database, { ...silentLogger, info });
  await run(recorder, startOf());
  assert.deepEqual(types, ["interception_start", "interception_end"]);
});
