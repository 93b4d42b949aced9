/** A provider in trouble, and two servers over one Postgres: what one learns, the other knows. */
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { CENTRAL_KEY } from "./gateway-world.ts";

const WITHIN_MS = 10_000;
const THROTTLED_KEY = "sk-throttled-0123456789abcdef";
/** Both servers must be able to open what either has sealed. */
const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");

test("an open breaker and a throttled key hold on the other server, unless that is off", async () => {
  await using database = await testDatabase();
  let isDown = true;
  await using model = await startScriptedModel({
    script: (request) => {
      const isThrottled = request.header("authorization")?.includes(THROTTLED_KEY) === true;
      if (isThrottled)
        return { kind: "problem", status: 429, message: "no", headers: { "retry-after": "60" } };
      return isDown ? { kind: "problem", status: 503, message: "no" } : null;
    },
  });
  const options = (share: boolean) => ({
    postgresUrl: database.url,
    args: [
      "--ai-gateway-circuit-breaker-enabled",
      "--ai-gateway-circuit-breaker-failure-threshold=2",
      `--ai-gateway-share-trouble=${share}`,
    ],
    env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: ENCRYPTION_KEY },
  });
  await using one = await startRealServer(options(true));
  await using two = await startRealServer(options(true));
  await using alone = await startRealServer(options(false));
  const servers = [one, two, alone];
  const person = await setUpFirstUser(one);
  const { session: token } = person;
  for (const name of ["down", "throttled"]) {
    const keys = name === "down" ? [CENTRAL_KEY] : [THROTTLED_KEY, CENTRAL_KEY];
    const base = { type: "openai", name, base_url: `${model.url}/v1` };
    const body = { ...base, api_keys: keys };
    assert.equal((await one.api("POST", "/api/v2/ai/providers", { token, body })).status, 201);
  }
  const look = async (server: RealServer, name: string) =>
    (await server.api("GET", `/api/v2/ai/providers/${name}`, { token })).body;
  for (const server of servers) {
    await within(async () => (await look(server, "throttled")).api_keys[0].state === "valid");
  }
  const ask = async (server: RealServer, provider: string) => {
    const before = model.requests.length;
    const path = `/api/v2/ai-gateway/${provider}/v1/chat/completions`;
    const answer = await fetch(`${server.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${person.token}` },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }),
    });
    await answer.text();
    return { status: answer.status, asked: model.requests.length - before };
  };

  assert.deepEqual(await ask(one, "down"), { status: 503, asked: 1 });
  assert.deepEqual(await ask(one, "down"), { status: 503, asked: 1 });
  await within(async () => (await look(two, "down")).status.breakers[0]?.state === "open");
  assert.deepEqual(await ask(two, "down"), { status: 503, asked: 0 });

  isDown = false;
  assert.deepEqual(await ask(one, "throttled"), { status: 200, asked: 2 });
  await within(async () => (await look(two, "throttled")).api_keys[0].state === "temporary");
  assert.deepEqual(await ask(two, "throttled"), { status: 200, asked: 1 });
  const [key] = (await look(two, "throttled")).api_keys;
  assert.equal(key.last_error.status, 429);
  const restMs = Date.parse(key.returns_at) - Date.now();
  assert.ok(30_000 < restMs && restMs <= 60_000, `${restMs} ms`);

  assert.deepEqual((await look(alone, "down")).status.breakers, []);
  assert.equal((await look(alone, "throttled")).api_keys[0].state, "valid");
  assert.deepEqual(await ask(alone, "down"), { status: 200, asked: 1 });
});

async function within(holds: () => Promise<boolean>): Promise<void> {
  const startedMs = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - startedMs < WITHIN_MS, `within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
