/**
 * Recording mode `spool`: Postgres stops and starts under load, and nobody notices; a server is
 * killed under load, and no request that a provider has seen is missing from the records.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { sql as text } from "kysely";
import { ask, startLoad, type Answered } from "./gateway-load.ts";
import { runOutage } from "./gateway-outage.ts";
import { CENTRAL_KEY, createProvider } from "./gateway-world.ts";

const OUTAGE_SECONDS = 6;
const KEY = Buffer.alloc(32, 7).toString("base64");

test("an outage of Postgres fails no request and loses no usage", async () => {
  const report = await runOutage({ outageSeconds: OUTAGE_SECONDS, workers: 8, pauseMs: 40 });
  const { before, outage, after, sent, recorded, inSessions } = report;
  assert.deepEqual([before.failed, outage.failed, after.failed], [0, 0, 0]);
  assert.ok(outage.requests > 50 && sent.toolCalls > 10 && sent.outputTokens > 100);
  assert.deepEqual(recorded, { ...sent, open: 0, doubles: 0 });
  assert.deepEqual(inSessions, sent);
  assert.equal(report.strangerStatus, 503, "whom nobody can check is asked to come again");
});

for (const mode of ["strict", "spool"]) {
  test(`a server that is killed under load takes no record with it: ${mode}`, async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), "atelier-killed-"));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    await using database = await testDatabase();
    await using model = await startScriptedModel({ apiKey: CENTRAL_KEY });
    const options = {
      postgresUrl: database.url,
      args: ["--ai-gateway-recording", mode],
      env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: KEY },
    };
    await using killed = await startRealServer({ ...options, dataDir });
    await using other = await startRealServer(options);
    const person = await setUpFirstUser(killed);
    const provider = { name: "up", type: "openai", base_url: `${model.url}/v1` };
    await createProvider(killed, person, provider);
    const tokens = [person.token];
    await until(async () => (await serves(other, person.token)) === 200);
    await using load = startLoad({ servers: [killed, other], tokens, workers: 8, pauseMs: 10 });
    await until(() => Promise.resolve(load.answered.length > 300));
    killed.child.kill("SIGKILL");
    await once(killed.child, "exit");
    const killedAt = load.answered.length;
    await until(() => Promise.resolve(load.answered.length > killedAt + 100));
    await load.stop();

    const failed = load.answered.filter(({ status }) => status !== 200);
    assert.ok(failed.length > 0, "it was in the middle of something");
    for (const { name } of failed) assert.match(name, /\.0$/, "the other server answers");
    await using next = await startRealServer({ ...options, dataDir });
    const own = mode === "spool" ? 1 : 0;
    await until(() => Promise.resolve(spoolsIn(dataDir) === own));
    // As if the killed one had been silent for long: only then others end what it left open.
    await until(async () => (await missingIn(database, load.answered)).length === 0);
    await database.pool.query(`
      update replicas set heartbeat_at = heartbeat_at - interval '1 hour';
      update ai_interceptions set started_at = started_at - interval '1 hour' where ended_at is null`);
    await using third = await startRealServer(options);
    await until(async () => (await openIn(database)) === 0);
    const { doubles, wrong, orphans } = await checkTokens(database, load.answered);
    assert.deepEqual([doubles, wrong], [0, []]);
    t.diagnostic(`${load.answered.length} requests, ${failed.length} repeated, ${orphans} orphans`);
    for (const server of [next, third]) assert.equal(await serves(server, person.token), 200);
  });
}

async function serves({ port }: RealServer, token: string): Promise<number> {
  const { status } = await ask({ port, token, agent: new Agent(), name: `probe-${port}` });
  return status;
}

function spoolsIn(dataDir: string): number {
  const directory = join(dataDir, "spool");
  return existsSync(directory) ? readdirSync(directory).length : 0;
}

/** Names of requests that were answered and of which there is no record. */
async function missingIn(database: TestDatabase, answered: readonly Answered[]): Promise<string[]> {
  const { rows } = await text<{ model: string }>`
    select model from ai_interceptions`.execute(database.sql);
  const recorded = new Set(rows.map(({ model }) => model));
  return answered.flatMap(({ name, status }) =>
    status === 200 && !recorded.has(name) ? [name] : [],
  );
}

async function openIn(database: TestDatabase): Promise<number> {
  const { rows } = await text`
    select 1 from ai_interceptions where ended_at is null`.execute(database.sql);
  return rows.length;
}

/** Every answered request has its tokens, or ended with its server. */
async function checkTokens(database: TestDatabase, answered: readonly Answered[]) {
  const { rows } = await text<{
    model: string;
    error: string | null;
    input: number;
    output: number;
  }>`
    select i.model, i.error_message as error, coalesce(sum(t.input_tokens), 0)::bigint as input,
      coalesce(sum(t.output_tokens), 0)::bigint as output
    from ai_interceptions i
    left join ai_token_usages t on t.interception_id = i.id
    group by i.id, i.started_at, i.model, i.error_message`.execute(database.sql);
  const byName = new Map(rows.map((row) => [row.model, row]));
  const orphans = rows.filter(({ error }) => /server stopped/.test(error ?? "")).length;
  const wrong = answered.flatMap(({ name, status, inputTokens, outputTokens }) => {
    const row = byName.get(name);
    const isRight = row?.input === inputTokens && row.output === outputTokens;
    if (status !== 200 || isRight || /server stopped/.test(row?.error ?? "")) return [];
    return [{ name, inputTokens, outputTokens, row }];
  });
  const loads = rows.filter(({ model }) => model.startsWith("model-"));
  return { wrong, orphans, doubles: loads.length - new Set(loads.map((row) => row.model)).size };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadlineMs = performance.now() + 90_000; !(await holds());) {
    assert.ok(performance.now() < deadlineMs, `not within 90 s: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
