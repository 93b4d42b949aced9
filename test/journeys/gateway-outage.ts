/**
 * Postgres is stopped under load and started again, with recording mode `spool`: what callers saw,
 * and what the records say afterwards. `npm run simulate -- gateway-outage [--seconds 60]`.
 */
import { Agent } from "node:http";
import { parseArgs } from "node:util";
import { silentLogger } from "@atelier/base/logger";
import { openDatabase, type Database } from "@atelier/database/database";
import { startRestartablePostgres } from "@atelier/testkit/restartable-postgres";
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { sql as text } from "kysely";
import { ask, startLoad, type Answered } from "./gateway-load.ts";
import { CENTRAL_KEY, createProvider } from "./gateway-world.ts";

export type OutageReport = {
  readonly before: Phase;
  readonly outage: Phase;
  readonly after: Phase;
  /** Of a caller whom the server had never seen, during the outage. */
  readonly strangerStatus: number;
  /** From the moment Postgres answers again to the last record. */
  readonly drainedInMs: number;
  readonly sent: Totals;
  readonly recorded: Totals & { readonly open: number; readonly doubles: number };
  readonly inSessions: Totals;
};

export type Phase = {
  readonly requests: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

export type Totals = {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly toolCalls: number;
};

export type OutageOptions = {
  readonly outageSeconds: number;
  readonly workers: number;
  readonly pauseMs: number;
};

const CALM_MS = 2_000;
const DRAIN_MS_MAX = 60_000;
const TOKENS = 3;

export async function runOutage(options: OutageOptions): Promise<OutageReport> {
  await using postgres = await startRestartablePostgres();
  await using model = await startScriptedModel({ apiKey: CENTRAL_KEY });
  await using server = await startRealServer({
    postgresUrl: postgres.url,
    args: ["--ai-gateway-recording", "spool"],
  });
  const person = await setUpFirstUser(server);
  await createProvider(server, person, { name: "up", type: "openai", base_url: `${model.url}/v1` });
  const tokens = await makeTokens(server, person.session);
  const neverUsed = tokens.pop() ?? "";
  const { workers, pauseMs } = options;
  await using load = startLoad({ servers: [server], tokens, workers, pauseMs });

  await pause(CALM_MS);
  const stoppedMs = performance.now();
  await postgres.stop();
  await pause(options.outageSeconds * 500);
  const { port } = server;
  const stranger = await ask({ port, token: neverUsed, agent: new Agent(), name: "stranger" });
  await pause(options.outageSeconds * 500);
  await postgres.start();
  const backMs = performance.now();
  await pause(CALM_MS);
  await load.stop();

  await using database = openDatabase({
    connection: postgres.connection,
    applicationName: "outage",
    connectionsMax: 1,
    log: silentLogger,
  });
  const ok = load.answered.filter(({ status }) => status === 200);
  await untilRecorded(database, ok.length);
  const drainedInMs = performance.now() - backMs;
  const phase = (fromMs: number, toMs: number): Phase =>
    phaseOf(load.answered.filter(({ startedMs }) => startedMs >= fromMs && startedMs < toMs));
  return {
    before: phase(0, stoppedMs),
    outage: phase(stoppedMs, backMs),
    after: phase(backMs, Infinity),
    strangerStatus: stranger.status,
    drainedInMs,
    sent: {
      requests: ok.length,
      inputTokens: sum(ok.map((each) => each.inputTokens)),
      outputTokens: sum(ok.map((each) => each.outputTokens)),
      toolCalls: ok.filter((each) => each.text.includes('"tool_calls"')).length,
    },
    ...(await recordsIn(database)),
  };
}

/** The last of them is not used before the outage. */
async function makeTokens(server: RealServer, session: string): Promise<string[]> {
  const tokens: string[] = [];
  for (let index = 0; index <= TOKENS; index += 1) {
    const made = await server.api("POST", "/api/v2/users/me/keys/tokens", {
      token: session,
      body: { token_name: `load-${index}` },
    });
    tokens.push((made.body as { key: string }).key);
  }
  return tokens;
}

async function untilRecorded(database: Database, count: number): Promise<void> {
  for (const deadlineMs = performance.now() + DRAIN_MS_MAX; ; await pause(50)) {
    const { rows } = await text<{ ended: number }>`
      select count(*) as ended from ai_interceptions where ended_at is not null`.execute(
      database.sql,
    );
    // When some are lost, the report shows it.
    if ((rows[0]?.ended ?? 0) >= count || performance.now() > deadlineMs) return;
  }
}

async function recordsIn(database: Database) {
  const { rows: records } = await text<OutageReport["recorded"]>`
    select (select count(*) from ai_interceptions) as requests,
      (select count(*) from ai_interceptions where ended_at is null) as open,
      (select count(*) - count(distinct model) from ai_interceptions) as doubles,
      (select coalesce(sum(input_tokens), 0)::bigint from ai_token_usages) as "inputTokens",
      (select coalesce(sum(output_tokens), 0)::bigint from ai_token_usages) as "outputTokens",
      (select count(*) from ai_tool_usages) as "toolCalls"`.execute(database.sql);
  const { rows: sessions } = await text<OutageReport["inSessions"]>`
    select coalesce(sum(interceptions), 0)::bigint as requests,
      coalesce(sum(input_tokens), 0)::bigint as "inputTokens",
      coalesce(sum(output_tokens), 0)::bigint as "outputTokens"
    from ai_sessions`.execute(database.sql);
  const [recorded, inSessions] = [records[0], sessions[0]];
  if (recorded === undefined || inSessions === undefined) throw new Error("no totals");
  return { recorded, inSessions: { ...inSessions, toolCalls: recorded.toolCalls } };
}

function phaseOf(answered: readonly Answered[]): Phase {
  const took = answered.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(took[Math.floor(took.length * share)] ?? 0);
  return {
    requests: answered.length,
    failed: answered.filter(({ status }) => status !== 200).length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

/** Prints the report; 0 when nothing failed and nothing is missing. */
export async function simulateOutage(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: { type: "string", default: "60" },
      workers: { type: "string", default: "16" },
      "pause-ms": { type: "string", default: "20" },
    },
  });
  const report = await runOutage({
    outageSeconds: Number(values.seconds),
    workers: Number(values.workers),
    pauseMs: Number(values["pause-ms"]),
  });
  console.log(JSON.stringify(report, null, 2));
  const { before, outage, after, sent, recorded, inSessions } = report;
  const failed = before.failed + outage.failed + after.failed;
  const isExact = [recorded, inSessions].every(
    (each) =>
      each.requests === sent.requests &&
      each.inputTokens === sent.inputTokens &&
      each.outputTokens === sent.outputTokens &&
      each.toolCalls === sent.toolCalls,
  );
  console.log(
    `${failed} of ${sent.requests + failed} requests failed; ` +
      (isExact ? "every record is there, once" : "the records are NOT exact"),
  );
  return failed === 0 && isExact ? 0 : 1;
}
