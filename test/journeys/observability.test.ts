/** What an operator sees of a call: its trace at a collector, its dump, its metrics, and no secret. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase } from "@atelier/testkit/test-database";
import { startTraceCollector } from "@atelier/testkit/trace-collector";
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CENTRAL_KEY, createProvider, startGatewayWorld } from "./gateway-world.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

function ask(gatewayUrl: string, token: string, body: object, headers: object = {}) {
  return fetch(`${gatewayUrl}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "canary" }], ...body }),
  });
}

test("calls are traced to a collector, dumped and counted, without a secret in traces or dumps", async () => {
  await using collector = await startTraceCollector();
  const directory = mkdtempSync(join(tmpdir(), "atelier-dump-"));
  {
    await using world = await startGatewayWorld(
      [
        ["--trace-enable", "--trace-endpoint", collector.url],
        ["--trace-service-name", "journey", "--ai-gateway-dump-dir", directory],
        ["--prometheus-enable", "--prometheus-address", ""],
      ].flat(),
    );
    const { gatewayUrl, person, server } = world;
    const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
    const blocking = await ask(gatewayUrl, person.token, {}, headers);
    assert.equal(blocking.status, 200);
    assert.match(blocking.headers.get("server-timing") ?? "", /^auth;dur=.*, total;dur=[\d.]+$/);
    await blocking.text();
    const streaming = await ask(gatewayUrl, person.token, { stream: true });
    await streaming.text();
    await world.interceptions(2);

    const spans = await collector.spans("Intercept", 2);
    const traced = spans.filter((span) => span.traceId === TRACE).map(({ name }) => name);
    assert.deepEqual(traced.toSorted(), [
      "Intercept",
      "Intercept.CreateInterceptor",
      "Intercept.ProcessRequest",
      "Intercept.ProcessRequest.Upstream",
      "Intercept.RecordInterception",
      "Intercept.RecordInterceptionEnded",
      "Intercept.RecordPromptUsage",
      "Intercept.RecordTokenUsage",
    ]);
    assert.equal(collector.resource()["service.name"], "journey");

    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(
      metrics,
      /^atelier_ai_gateway_interceptions_total\{provider="openai",model="m",.*\} 2$/m,
    );
    assert.match(metrics, /^atelier_provider_info\{provider_name="openai",.*\} 1$/m);

    assert.equal(await server.stop(), 0);
    for (const secret of ["canary", CENTRAL_KEY, person.token]) {
      assert.ok(!collector.text().includes(secret), `no ${secret} in traces`);
    }
    const files = readdirSync(directory, { recursive: true, encoding: "utf8" });
    const texts = files
      .filter((path) => path.endsWith(".txt"))
      .map((path) => readFileSync(join(directory, path), "utf8"));
    assert.equal(texts.length, 4);
    for (const text of texts) {
      assert.ok(!text.includes(CENTRAL_KEY) && !text.includes(person.token));
    }
    assert.ok(texts.some((text) => text.includes('"content": "canary"')));
  }
  rmSync(directory, { recursive: true });
});

test("a collector that is away neither slows nor fails a call, and the server still ends in time", async () => {
  await using database = await testDatabase();
  await using model = await startScriptedModel({ apiKey: CENTRAL_KEY });
  await using server = await startRealServer({
    postgresUrl: database.url,
    // A reserved port that nobody listens on, and an address that answers nobody (RFC 5737).
    args: ["--trace-enable", "--trace-endpoint", "http://192.0.2.1:4318"],
  });
  const person = await setUpFirstUser(server);
  await createProvider(server, person, {
    name: "openai",
    type: "openai",
    base_url: `${model.url}/v1`,
  });
  const gatewayUrl = `${server.url}/api/v2/ai-gateway`;
  const startMs = performance.now();
  for (let i = 0; i < 30; i += 1) {
    const answer = await ask(gatewayUrl, person.token, {});
    assert.equal(answer.status, 200);
    await answer.text();
  }
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs < 20_000, `30 calls took ${tookMs} ms`);
  const stopMs = performance.now();
  assert.equal(await server.stop(), 0);
  assert.ok(performance.now() - stopMs < 20_000);
  assert.match(server.log(), /traces (?:failed|were not sent in time)/);
});
