/** Two servers on one Postgres: what changes on one holds on the other soon, without a restart. */
import { setUpFirstUser } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import assert from "node:assert/strict";
import { test } from "node:test";
import { CENTRAL_KEY, createProvider } from "./gateway-world.ts";
import { startTwoServers } from "./two-server-world.ts";

const WITHIN_MS = 10_000;

test("a provider made on one serves on the other, a revoked token is refused on both", async () => {
  await using model = await startScriptedModel({ apiKey: CENTRAL_KEY });
  await using servers = await startTwoServers();
  const { one, two } = servers;
  const person = await setUpFirstUser(one);

  const ask = (server: typeof one) =>
    fetch(`${server.url}/api/v2/ai-gateway/openai/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${person.token}` },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }),
    }).then(async (answer) => ({ status: answer.status, text: await answer.text() }));

  await createProvider(one, person, {
    name: "openai",
    type: "openai",
    base_url: `${model.url}/v1`,
  });
  await within(
    async () => (await ask(two)).status === 200,
    "the provider serves on the other server",
  );
  assert.equal((await ask(one)).status, 200);

  const revoked = await two.api("DELETE", "/api/v2/users/me/keys/test", { token: person.session });
  assert.equal(revoked.status, 204);
  for (const server of [one, two]) {
    await within(async () => (await ask(server)).status === 403, "the token is refused");
  }
});

async function within(holds: () => Promise<boolean>, what: string): Promise<void> {
  const startedMs = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - startedMs < WITHIN_MS, `${what} within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
