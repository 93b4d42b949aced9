/**
 * How long the usage lists take with a million interceptions: the goal is 200 ms for sessions
 * (spec gateway-field-lessons AT-40). Fills an empty, migrated database by SQL, then reads through
 * the same actions as the HTTP routes.
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import type { Clock } from "@atelier/base/clock";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import type { Actor } from "@atelier/control-plane/access/actor";
import {
  readFilterValues,
  readInterceptions,
  readSession,
  readSessions,
} from "@atelier/control-plane/ai-usage/usage-actions";
import { readUsageTotals } from "@atelier/control-plane/ai-usage/usage-totals-actions";
import type { UsageDimension } from "@atelier/contract/http/ai-costs";
import { openDatabase, type Database } from "@atelier/database/database";
import { startPostgresServer } from "@atelier/testkit/postgres-server";
import { sql as text } from "kysely";

type Options = {
  /** Migrated, and nobody else's. */
  readonly database: Database;
  readonly clock: Clock;
  readonly interceptions: number;
  readonly sessions: number;
  readonly users: number;
  /** Of each read. */
  readonly runs: number;
  /** Reads whose names contain one of these, with commas between them. */
  readonly only: string;
  readonly report: (line: string) => void;
};

const INTERCEPTIONS = 1_000_000;
const INTERCEPTIONS_PER_SESSION = 10;
const USERS = 300;
const RUNS = 25;
/** Filling inserts in big statements. */
const STATEMENT_MS_MAX = 300_000;

type ListingFigure = {
  readonly name: string;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Of the answer: how much was read. */
  readonly items: number;
};

type Read = () => Promise<number>;

/** `--interceptions N` makes it smaller or bigger, `--only usage` reads a part. Prints a table and one line of JSON. */
export async function runUsageListingBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      interceptions: { type: "string", default: String(INTERCEPTIONS) },
      only: { type: "string", default: "" },
    },
  });
  const interceptions = Number(values.interceptions);
  await using server = await startPostgresServer();
  const { host, port, user, database: name } = server;
  await using database = openDatabase({
    connection: { host, port, user, database: name },
    applicationName: "bench",
    connectionsMax: 4,
    statementTimeoutMs: STATEMENT_MS_MAX,
    log: silentLogger,
  });
  await measureUsageListing({
    database,
    clock: systemClock,
    interceptions,
    sessions: Math.ceil(interceptions / INTERCEPTIONS_PER_SESSION),
    users: USERS,
    runs: RUNS,
    only: values.only,
    report: (line) => console.log(line),
  });
}

async function measureUsageListing(options: Options): Promise<readonly ListingFigure[]> {
  const { clock, report } = options;
  const startedMs = clock.monotonicMs();
  await fill(options);
  const seconds = Math.round((clock.monotonicMs() - startedMs) / 1_000);
  report(`${options.interceptions} interceptions, made in ${seconds} s`);
  const figures: ListingFigure[] = [];
  for (const [name, read] of await readsOf(options.database)) {
    if (!options.only.split(",").some((part) => name.includes(part))) continue;
    const figure = await measure(name, read, options);
    const [p50, p95] = [figure.p50Ms, figure.p95Ms].map((ms) => ms.toFixed(1).padStart(7));
    report(`${name.padEnd(36)} p50 ${p50} ms  p95 ${p95} ms  ${figure.items} items`);
    figures.push(figure);
  }
  report(JSON.stringify({ bench: "usage-listing", figures }));
  return figures;
}

async function measure(name: string, read: Read, { clock, runs }: Options): Promise<ListingFigure> {
  let items = await read();
  const tookMs: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const startedMs = clock.monotonicMs();
    items = await read();
    tookMs.push(clock.monotonicMs() - startedMs);
  }
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.ceil(share * runs) - 1] ?? 0) * 10) / 10;
  return { name, p50Ms: at(0.5), p95Ms: at(0.95), items };
}

async function readsOf(database: Database): Promise<readonly [string, Read][]> {
  const deps = { database };
  const owner = actorOf(randomUUID(), ["owner"]);
  const member = actorOf(await busiestUser(database), []);
  const none = { afterSessionId: undefined, offset: undefined };
  const sessions =
    (actor: Actor, query: { q?: string; limit?: number; offset?: number; after?: string }): Read =>
    async () => {
      const { q, limit = 100, offset, after: afterSessionId } = query;
      const page = { q, limit, offset: offset ?? none.offset, afterSessionId };
      const read = await readSessions(deps, actor, page);
      if (!read.ok) throw new Error(`${read.failure.code} for ${JSON.stringify(query)}`);
      return read.value.items.length;
    };
  const interceptions =
    (actor: Actor, q?: string): Read =>
    async () => {
      const read = await readInterceptions(deps, actor, { q, limit: 100, afterId: undefined });
      return read.ok ? read.value.items.length : -1;
    };
  const values =
    (actor: Actor): Read =>
    async () => {
      const read = await readFilterValues(deps, actor, { kind: "model", prefix: "m", limit: 100 });
      return read.ok ? read.value.length : -1;
    };
  const totals =
    (actor: Actor, dimensions: UsageDimension[], more: { q?: string; timeZone?: string }): Read =>
    async () => {
      const { q, timeZone = "UTC" } = more;
      const span = { from: START, to: MONTH_END, timeZone };
      const query = { ...span, dimensions, q, limit: 1_000 };
      const read = await readUsageTotals({ database, clock: systemClock }, actor, query);
      return read.ok ? read.value.count : -1;
    };
  const { count, deep, longest } = await landmarks(database);
  return [
    ["sessions, first page", sessions(owner, {})],
    ["sessions, first page of 1,000", sessions(owner, { limit: 1_000 })],
    ["sessions, after the middle one", sessions(owner, { after: deep })],
    [
      "sessions, offset nine tenths",
      sessions(owner, { offset: Math.min(Math.floor(count * 0.9), 100_000) }),
    ],
    ["sessions, one's own", sessions(member, {})],
    ["sessions, one's own, offset 200", sessions(member, { offset: 200 })],
    ["sessions, of a common model", sessions(owner, { q: "model:m0" })],
    ["sessions, of a rare model", sessions(owner, { q: "model:m19" })],
    ["sessions, of an unknown model", sessions(owner, { q: "model:none" })],
    ["sessions, of a client", sessions(owner, { q: "client:client3" })],
    ["sessions, of an unknown client", sessions(owner, { q: "client:none" })],
    ["sessions, of a provider", sessions(owner, { q: "provider_name:p1" })],
    ["sessions, of a person", sessions(owner, { q: "initiator:user7" })],
    ["sessions, of a week", sessions(owner, { q: weekQuery() })],
    ["one session, 50 threads", detail(database, owner, longest)],
    ["interceptions, first page", interceptions(owner)],
    ["interceptions, one's own", interceptions(member)],
    ["interceptions, of a rare model", interceptions(owner, "model:m19")],
    ["interceptions, of an unknown model", interceptions(owner, "model:none")],
    ["models, everybody's", values(owner)],
    ["models, one's own", values(member)],
    ["usage of 30 days, by day", totals(owner, ["day"], {})],
    ["usage, by day in India", totals(owner, ["day"], { timeZone: "Asia/Kolkata" })],
    ["usage, by person", totals(owner, ["user"], {})],
    ["usage, by model", totals(owner, ["model"], {})],
    ["usage, by day and person", totals(owner, ["day", "user"], {})],
    ["usage, by day of a model", totals(owner, ["day"], { q: "model:m7" })],
    ["usage, one's own by day", totals(member, ["day"], {})],
  ];
}

function detail(database: Database, actor: Actor, sessionId: string): Read {
  const page = { limit: 50, initiator: undefined, afterId: undefined, beforeId: undefined };
  return async () => {
    const read = await readSession({ database }, actor, { sessionId, ...page });
    return read.ok ? read.value.threads.length : -1;
  };
}

function weekQuery(): string {
  return `started_after:${START.slice(0, 8)}08T00:00:00Z started_before:${START.slice(0, 8)}15T00:00:00Z`;
}

function actorOf(userId: string, roles: Actor["roles"]): Actor {
  return {
    userId,
    username: "bench",
    email: "",
    roles,
    scopes: ["all"],
    apiKeyId: "bench",
    keyKind: "session",
  };
}

async function busiestUser(database: Database): Promise<string> {
  const { rows } = await text<{ id: string }>`
    select initiator_id as id from ai_sessions
    group by initiator_id order by count(*) desc limit 1`.execute(database.sql);
  return rows[0]?.id ?? "";
}

async function landmarks(database: Database) {
  const { rows: counted } = await text<{ count: number }>`
    select count(*) as count from ai_sessions`.execute(database.sql);
  const count = counted[0]?.count ?? 0;
  const { rows: deep } = await text<{ id: string }>`
    select session_id as id from ai_sessions
    order by last_active_at desc, session_id, initiator_id
    limit 1 offset ${Math.floor(count / 2)}`.execute(database.sql);
  const { rows: longest } = await text<{ id: string }>`
    select session_id as id from ai_sessions order by interceptions desc limit 1`.execute(
    database.sql,
  );
  return { count, deep: deep[0]?.id ?? "", longest: longest[0]?.id ?? "" };
}

const START = "2026-01-01";
const MONTH_END = "2026-01-30";
/** Two months of traffic, as the retention keeps by default. */
const SPAN_SECONDS = 60 * 86_400;

/**
 * Sessions have about ten interceptions, a hundred of them have hundreds; every second interception
 * follows from a tool call; models and clients are unevenly common; a thousandth is under way.
 */
async function fill({ database, interceptions, sessions, users }: Options) {
  const first = new Date(START);
  const last = new Date(first.getTime() + SPAN_SECONDS * 1_000);
  const parents = [
    "ai_interceptions",
    "ai_token_usages",
    "ai_user_prompts",
    "ai_tool_usages",
    "ai_usage_totals",
  ];
  for (const parent of parents) {
    await text`select ensure_month_partitions(${parent}, ${first}::date, ${last}::date)`.execute(
      database.sql,
    );
  }
  await text`
    insert into users (id, email, username, name, status, created_at, updated_at)
    select gen_random_uuid(), 'user' || n || '@example.com', 'user' || n, 'User ' || n, 'active',
      now(), now()
    from generate_series(1, ${users}::integer) as n`.execute(database.sql);
  // Chunks, so that each statement stays within the pool's time limit.
  const chunk = 50_000;
  for (let from = 1; from <= interceptions; from += chunk) {
    const to = Math.min(from + chunk - 1, interceptions);
    await insertInterceptions(database, { from, to, interceptions, sessions, users });
    await insertChildren(database, { from, to, interceptions });
  }
  await sumUp(database);
  await text`vacuum analyze`.execute(database.sql);
}

type Chunk = { readonly from: number; readonly to: number; readonly interceptions: number };

async function insertInterceptions(
  database: Database,
  chunk: Chunk & { readonly sessions: number; readonly users: number },
): Promise<void> {
  const { from, to, interceptions, sessions, users } = chunk;
  await text`
    insert into ai_interceptions (id, started_at, ended_at, initiator_id, api_key_id, provider,
      provider_name, model, client, session_id, thread_parent_id, thread_root_id, credential_kind,
      credential_hint, metadata, replica_id)
    select ${idOf("n")}, at, case when n % 1000 = 0 then null else at + interval '4 seconds' end,
      u.id, 'key', 'openai', 'p' || (power(random(), 2) * 4)::integer,
      'm' || (power(random(), 3) * 19)::integer, 'client' || s % 7,
      'session-' || s, case when n % 2 = 0 then ${idOf("n - 1")} end,
      case when n % 2 = 0 then ${idOf("n - 1")} end, 'centralized', 'sk-a...z',
      '{"request_user_agent": "bench"}', ${randomUUID()}
    from (
      select n, date_trunc('milliseconds', ${START}::timestamptz
          + n * (${SPAN_SECONDS}::float / ${interceptions}) * interval '1 second') as at,
        case when (n / 2) % 20 = 0 then (n / 40) % 100
          else ((n / 2)::bigint * 7919) % ${sessions}::integer end as s
      from generate_series(${from}::integer, ${to}::integer) as n
    ) as made
    join (select id, row_number() over (order by username) as number from users) as u
      on u.number = 1 + floor(power((hashint4(s::integer) & 1023) / 1024.0, 2) * ${users}::integer)
  `.execute(database.sql);
}

async function insertChildren(database: Database, { from, to, interceptions }: Chunk) {
  const made = text`
    from (
      select n, date_trunc('milliseconds', ${START}::timestamptz
        + n * (${SPAN_SECONDS}::float / ${interceptions}) * interval '1 second') as at
      from generate_series(${from}::integer, ${to}::integer) as n
    ) as made`;
  await text`
    insert into ai_token_usages (id, started_at, interception_id, provider_response_id,
      input_tokens, output_tokens, cache_read_input_tokens, cache_write_input_tokens, created_at)
    select gen_random_uuid(), at, ${idOf("n")}, 'msg', 100, 20, 1000, 10, at
    ${made} where n % 1000 <> 0`.execute(database.sql);
  await text`
    insert into ai_user_prompts (id, started_at, interception_id, provider_response_id, prompt,
      created_at)
    select gen_random_uuid(), at, ${idOf("n")}, 'msg', repeat('Please fix it. ', 20), at
    ${made} where n % 10 = 1`.execute(database.sql);
  await text`
    insert into ai_tool_usages (id, started_at, interception_id, initiator_id,
      provider_response_id, provider_tool_call_id, tool, input, created_at)
    select gen_random_uuid(), at, ${idOf("n")}, ${randomUUID()}, 'msg', 'call_' || n, 'bash',
      '{"command":"ls -la"}', at
    ${made} where n % 4 = 1`.execute(database.sql);
}

async function sumUp(database: Database): Promise<void> {
  await text`
    insert into ai_sessions (initiator_id, session_id, client, providers, provider_names, models,
      started_at, ended_at, last_active_at, threads, interceptions, input_tokens, output_tokens,
      last_prompt)
    select initiator_id, session_id, min(client), array_agg(distinct provider),
      array_agg(distinct provider_name), array_agg(distinct model), min(started_at),
      max(ended_at), max(started_at), count(*) filter (where thread_parent_id is null),
      count(*), count(*) * 100, count(*) * 20, repeat('Please fix it. ', 20)
    from ai_interceptions
    group by initiator_id, session_id`.execute(database.sql);
  await text`
    insert into ai_filter_values (initiator_id, kind, value)
    select distinct initiator_id, 'model', model from ai_interceptions`.execute(database.sql);
  await text`
    insert into ai_usage_totals
    select date_bin('15 minutes', started_at, '2000-01-01 00:00:00+00'), initiator_id, provider,
      provider_name, model, client, credential_kind, count(*), 0, count(*) * 100, count(*) * 20,
      count(*) * 1000, count(*) * 10, count(*) * 500, count(*), 0
    from ai_interceptions
    where ended_at is not null
    group by 1, 2, 3, 4, 5, 6, 7`.execute(database.sql);
}

/** The id of the interception of this number, so that others can refer to it. */
function idOf(number: string) {
  return text.raw(`lpad(to_hex((${number})::integer), 32, '0')::uuid`);
}
