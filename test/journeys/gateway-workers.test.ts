/** Several gateway workers are one server: for the gateway's clients, the API's, and operators. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { ask, startLoad } from "./gateway-load.ts";
import { createProvider, startGatewayWorld, type GatewayWorld } from "./gateway-world.ts";

const WORKERS = ["--gateway-workers", "2"];

/** The status of a request that offers an upgrade. */
async function upgradeStatus(world: GatewayWorld, path: string): Promise<number | undefined> {
  const headers = { connection: "upgrade", upgrade: "websocket" };
  const sent = request(`${world.server.url}${path}`, { headers });
  sent.end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

test("two workers serve, record, count and stop as one server", async () => {
  const metricsHere = ["--prometheus-enable", "--prometheus-address", ""];
  await using world = await startGatewayWorld([...WORKERS, ...metricsHere]);
  const { server, person, model } = world;
  await createProvider(server, person, { name: "up", type: "openai", base_url: `${model.url}/v1` });
  // Each has a connection of its own, so that both workers get some.
  const { port } = server;
  const { token } = person;
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => ask({ port, token, agent: false, name: `model-${i}` })),
  );
  assert.deepEqual(
    answers.filter(({ status }) => status !== 200),
    [],
  );
  assert.equal((await world.interceptions(40)).length, 40);
  const { body: metrics } = await server.api("GET", "/metrics");
  const counted = [...metrics.matchAll(/^atelier_ai_gateway_interceptions_total\{.* (\d+)$/gm)];
  assert.equal(
    counted.reduce((sum, [, count]) => sum + Number(count), 0),
    40,
  );
  assert.equal(metrics.match(/^process_cpu_seconds_total /gm).length, 1);

  assert.equal((await server.api("GET", "/readyz")).status, 200);
  assert.equal(await upgradeStatus(world, "/api/v2/ai-gateway/up/v1/responses"), 426);
  assert.equal(await upgradeStatus(world, "/api/v2/nothing"), 404);
  const audit = await server.api("GET", "/api/v2/audit", { token: person.session });
  const addresses = audit.body.audit_logs.map(({ ip }: { ip: string }) => ip);
  assert.ok(addresses.length > 0);
  assert.deepEqual([...new Set(addresses)], ["127.0.0.1"]);
  // The header of the hop is the workers' own: nobody else is believed.
  const forged = await fetch(`${server.url}/api/v2/users/login`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-atelier-worker-peer": "9.9.9.9" },
    body: JSON.stringify({ email: person.email, password: person.password }),
  });
  assert.equal(forged.status, 201);
  const after = await server.api("GET", "/api/v2/audit", { token: person.session });
  assert.doesNotMatch(JSON.stringify(after.body), /9\.9\.9\.9/);
  assert.equal(await server.stop(), 0);
  assert.equal(server.log(), "");
});

test("a limit of requests under way holds over the workers", async () => {
  await using world = await startGatewayWorld([
    ...WORKERS,
    ...["--ai-gateway-rate-limit", "5", "--ai-gateway-max-concurrency", "1000"],
  ]);
  const { server, person, model } = world;
  await createProvider(server, person, { name: "up", type: "openai", base_url: `${model.url}/v1` });
  const { port } = server;
  const { token } = person;
  await ask({ port, token, agent: false, name: "model-0" });
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const beganMs = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, i) => ask({ port, token, agent: false, name: `model-${i}` })),
  );
  const seconds = Math.ceil((performance.now() - beganMs) / 1_000);
  const served = answers.filter(({ status }) => status === 200).length;
  assert.ok(served >= 5 && served <= 5 * (seconds + 1), `${served} served in ${seconds} s`);
  assert.equal(answers.filter(({ status }) => status === 429).length, 30 - served);
});

test("providers change under load on two workers, and no request fails", async () => {
  await using world = await startGatewayWorld(WORKERS);
  const { server, person, model } = world;
  await createProvider(server, person, { name: "up", type: "openai", base_url: `${model.url}/v1` });
  const servers = [server];
  await using load = startLoad({ servers, tokens: [person.token], workers: 4, pauseMs: 5 });
  for (let i = 0; i < 15; i += 1) {
    const name = `other-${i}`;
    await createProvider(server, person, { name, type: "openai", base_url: `${model.url}/v1` });
    // What the answer says is created serves at once, whichever worker is asked.
    const asked = await fetch(`${world.gatewayUrl}/${name}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }),
    });
    assert.equal(asked.status, 200, await asked.text());
  }
  await load.stop();
  assert.ok(load.answered.length > 50);
  assert.deepEqual(
    load.answered.filter(({ status }) => status !== 200),
    [],
  );
});

test("a revoked token is refused by every worker", async () => {
  await using world = await startGatewayWorld(WORKERS);
  const { server, person, model } = world;
  await createProvider(server, person, { name: "up", type: "openai", base_url: `${model.url}/v1` });
  const { port } = server;
  const asMany = (token: string) =>
    Promise.all(
      Array.from({ length: 12 }, (_, i) => ask({ port, token, agent: false, name: `model-${i}` })),
    );
  assert.ok((await asMany(person.token)).every(({ status }) => status === 200));
  const id = person.token.split("-", 1)[0];
  const revoked = await server.api("DELETE", `/api/v2/users/me/keys/${id}`, {
    token: person.session,
  });
  assert.equal(revoked.status, 204);
  const isRefused = async (): Promise<boolean> =>
    (await asMany(person.token)).every(({ status }) => status === 403);
  // The message goes through the database.
  for (const lateMs = performance.now() + 30_000; !(await isRefused());) {
    assert.ok(performance.now() < lateMs, "refused within 30 s");
  }
  assert.ok(await isRefused(), "and for good");
});
