/**
 * Servers and databases that are killed without a chance to say goodbye: what was under way is ended
 * by the next server, what was stored is still there, and the embedded Postgres is taken over or
 * started again.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase } from "@atelier/testkit/test-database";
import { CENTRAL_KEY, createProvider } from "./gateway-world.ts";

const GATEWAY = "/api/v2/ai-gateway";
const KEY = Buffer.alloc(32, 7).toString("base64");

function chat(server: RealServer, token: string, body: object = {}): Promise<Response> {
  return fetch(`${server.url}${GATEWAY}/up/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], ...body }),
  });
}

async function kill(server: RealServer): Promise<void> {
  server.child.kill("SIGKILL");
  await once(server.child, "exit");
}

test("a server that is killed in the middle of a stream leaves nothing open for ever", async () => {
  await using database = await testDatabase();
  await using model = await startScriptedModel({ apiKey: CENTRAL_KEY });
  const options = {
    postgresUrl: database.url,
    env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: KEY },
  };
  await using killed = await startRealServer(options);
  const person = await setUpFirstUser(killed);
  await createProvider(killed, person, { name: "up", type: "openai", base_url: `${model.url}/v1` });
  model.enqueue(says("never told", { pause: { afterBytes: 200, until: new Promise(() => {}) } }));
  const answer = await chat(killed, person.token, { stream: true });
  assert.equal(answer.status, 200);
  const asked = await model.nextRequest();
  await kill(killed);
  await assert.rejects(answer.text(), "the client sees that the answer is not whole");
  await asked.over;
  const open = await database.pool.query("select id from ai_interceptions where ended_at is null");
  assert.equal(open.rows.length, 1);

  // As if it had been silent for long: the next server would otherwise wait for a minute.
  await database.pool.query("update replicas set heartbeat_at = heartbeat_at - interval '1 hour'");
  await database.pool.query(
    "update ai_interceptions set started_at = started_at - interval '1 hour'",
  );
  await using next = await startRealServer(options);
  const [record] = await until(async () => {
    const { body } = await next.api("GET", `${GATEWAY}/interceptions`, { token: person.session });
    return body.count > 0 && body.results;
  });
  assert.deepEqual([record.id, record.error_type], [open.rows[0].id, "unknown"]);
  assert.match(record.error_message, /server/);
  const { body } = await next.api("GET", `${GATEWAY}/sessions`, { token: person.session });
  assert.deepEqual(
    [body.count, body.sessions[0].interceptions, body.sessions[0].errors],
    [1, 1, 1],
  );
  assert.notEqual(body.sessions[0].ended_at, null);
  assert.equal((await chat(next, person.token)).status, 200);
});

test("the embedded Postgres outlives a killed server, and its data outlive both", async (t) => {
  const dataDir = makeDataDir(t);
  await using model = await startScriptedModel({ apiKey: CENTRAL_KEY });
  await using first = await startRealServer({ dataDir });
  const person = await setUpFirstUser(first);
  await createProvider(first, person, { name: "up", type: "openai", base_url: `${model.url}/v1` });
  assert.equal((await chat(first, person.token)).status, 200);
  const postmaster = postmasterOf(dataDir);
  await kill(first);
  assert.ok(isAlive(postmaster));

  await using second = await startRealServer({ dataDir });
  assert.equal(postmasterOf(dataDir), postmaster, "taken over");
  await checkServes(second, person);
  await kill(second);
  process.kill(postmaster, "SIGKILL");
  await until(async () => !isAlive(postmaster));

  await using third = await startRealServer({ dataDir });
  assert.notEqual(postmasterOf(dataDir), postmaster, "a stale one is not waited for");
  await checkServes(third, person);
  // And under a server that runs on.
  const previous = postmasterOf(dataDir);
  process.kill(previous, "SIGKILL");
  await until(async () => ![0, previous].includes(postmasterOf(dataDir)));
  await until(async () => (await third.api("GET", "/readyz")).status === 200);
  await until(async () => (await chat(third, person.token)).status === 200);
  await checkServes(third, person);
  const last = postmasterOf(dataDir);
  assert.equal(await third.stop(), 0);
  assert.ok(!isAlive(last), "an orderly end takes it along");
});

/** Users, sessions, tokens and the provider's sealed key are all still good. */
async function checkServes(
  server: RealServer,
  person: Awaited<ReturnType<typeof setUpFirstUser>>,
): Promise<void> {
  const me = await server.api("GET", "/api/v2/users/me", { token: person.session });
  assert.deepEqual([me.status, me.body.email], [200, person.email]);
  const { email, password } = person;
  const login = await server.api("POST", "/api/v2/users/login", { body: { email, password } });
  assert.equal(login.status, 201);
  assert.equal((await chat(server, person.token)).status, 200);
}

/** Deleted at the end of the test, with the Postgres that a failed test left in it. */
function makeDataDir(t: TestContext): string {
  const dataDir = mkdtempSync(join(tmpdir(), "atelier-crash-"));
  t.after(async () => {
    const pid = postmasterOf(dataDir);
    if (pid > 0 && isAlive(pid)) {
      process.kill(pid, "SIGQUIT");
      await until(async () => !isAlive(pid));
    }
    rmSync(dataDir, { recursive: true, force: true });
  });
  return dataDir;
}

/** The number in its own file. 0: there is none. */
function postmasterOf(dataDir: string): number {
  try {
    return Number(readFileSync(join(dataDir, "postgres/postmaster.pid"), "utf8").split("\n")[0]);
  } catch {
    return 0;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A dead process whose parent has not looked yet still has a number, but runs no program.
    return (
      process.platform !== "linux" ||
      !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
    );
  } catch {
    return false;
  }
}

/** Polls until the answer is neither false nor undefined, and returns it. */
async function until<T>(ask: () => Promise<T>) {
  for (const deadlineMs = performance.now() + 60_000; ;) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
    assert.ok(performance.now() < deadlineMs, `not within 60 s: ${String(ask)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
