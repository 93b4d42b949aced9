/** An operator who tries a provider out, on a real server, before and while people use it. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { CENTRAL_KEY } from "./gateway-world.ts";

const REFUSED_KEY = "sk-refused-0123456789abcdef";

test("a test tells good keys from bad ones, and changes nothing for those who use them", async () => {
  await using database = await testDatabase();
  await using model = await startScriptedModel({ apiKey: CENTRAL_KEY });
  const args = ["--key-auth-failure-policy", "permanent"];
  await using server = await startRealServer({ postgresUrl: database.url, args });
  const { session: token } = await setUpFirstUser(server);
  const made = await server.api("POST", "/api/v2/ai/providers", {
    token,
    body: {
      type: "openai",
      name: "openai",
      base_url: `${model.url}/v1`,
      api_keys: [REFUSED_KEY, CENTRAL_KEY],
    },
  });
  assert.equal(made.status, 201);
  const path = "/api/v2/ai/providers/openai";
  const tested = await server.api("POST", `${path}/test`, { token, body: { model: "m" } });
  assert.equal(tested.status, 200, JSON.stringify(tested.body));
  const outcomes = tested.body.results.map(
    (each: { readonly checks: readonly { readonly kind: string; readonly outcome: string }[] }) =>
      each.checks.map(({ kind, outcome }) => `${kind} ${outcome}`),
  );
  assert.deepEqual(outcomes, [["credential unauthorized"], ["credential ok", "completion ok"]]);
  assert.doesNotMatch(JSON.stringify(tested.body), /sk-refused-0123|sk-central-0123/);

  const after = await server.api("GET", path, { token });
  assert.deepEqual(after.body, made.body, "no key was marked, whatever the policy");
  const recorded = await server.api("GET", "/api/v2/ai-gateway/interceptions", { token });
  assert.equal(recorded.body.count, 0, "a test is not use");

  // Somebody enters the address of Atelier itself.
  const wrongUrl = { base_url: server.url };
  assert.equal((await server.api("PATCH", path, { token, body: wrongUrl })).status, 200);
  const lost = await server.api("POST", `${path}/test`, { token, body: {} });
  assert.equal(lost.body.passed, false);
  assert.equal(lost.body.results[1].checks[0].remedy, `The base URL may lack its version. Try ${server.url}/v1`); // prettier-ignore
});

test("a server without a gateway says that it cannot test", async () => {
  await using database = await testDatabase();
  const args = ["--ai-gateway-enabled=false"];
  await using server = await startRealServer({ postgresUrl: database.url, args });
  const { session: token } = await setUpFirstUser(server);
  const tested = await server.api("POST", "/api/v2/ai/providers/openai/test", { token, body: {} });
  assert.deepEqual([tested.status, tested.body.code], [503, "ai_provider.test_unavailable"]);
});
