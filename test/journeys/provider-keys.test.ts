/** An operator and a provider key that the provider refuses, on two servers over one Postgres. */
import { setUpFirstUser, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import assert from "node:assert/strict";
import { test } from "node:test";
import { CENTRAL_KEY } from "./gateway-world.ts";
import { startTwoServers } from "./two-server-world.ts";

const WITHIN_MS = 10_000;
const REFUSED_KEY = "sk-refused-0123456789abcdef";
const PROVIDER_PATH = "/api/v2/ai/providers/openai";

test("a refused key is seen, left out, and tried again on all servers after a reset", async () => {
  await using model = await startScriptedModel({ apiKey: CENTRAL_KEY });
  await using servers = await startTwoServers(["--key-auth-failure-policy", "permanent"]);
  const { one, two } = servers;
  const person = await setUpFirstUser(one);
  const { session: token } = person;
  const made = await one.api("POST", "/api/v2/ai/providers", {
    token,
    body: {
      type: "openai",
      name: "openai",
      base_url: `${model.url}/v1`,
      api_keys: [REFUSED_KEY, CENTRAL_KEY],
    },
  });
  assert.equal(made.status, 201);
  const keyPath = `${PROVIDER_PATH}/keys/${made.body.api_keys[0].id}`;

  /** What the provider was shown for one request. */
  const keysTried = async (server: RealServer): Promise<(string | undefined)[]> => {
    const before = model.requests.length;
    const answer = await fetch(`${server.url}/api/v2/ai-gateway/openai/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${person.token}` },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }),
    });
    await answer.text();
    if (answer.status !== 200) return [];
    return (
      model.requests
        .slice(before)
        // Refused keys are asked about now and then.
        .filter(({ path }) => path.endsWith("/chat/completions"))
        .map((each) => each.header("authorization")?.replace("Bearer ", ""))
    );
  };
  const states = async (server: RealServer): Promise<(string | number | null)[][]> => {
    const { body } = await server.api("GET", PROVIDER_PATH, { token });
    const keys = body.api_keys as {
      readonly enabled: boolean;
      readonly state: string;
      readonly last_error: { readonly status: number } | null;
    }[];
    return keys.map((key) => [
      key.enabled ? key.state : "disabled",
      key.last_error?.status ?? null,
    ]);
  };
  const both = [REFUSED_KEY, CENTRAL_KEY];

  assert.deepEqual(await keysTried(one), both, "the next key serves the same request");
  await within(async () => (await states(two))[0]?.[0] === "permanent", "the other server hears");
  for (const server of [one, two]) {
    assert.deepEqual(await states(server), [["permanent", 401], ["valid", null]]); // prettier-ignore
    assert.deepEqual(await keysTried(server), [CENTRAL_KEY]);
  }

  assert.equal((await two.api("POST", `${keyPath}/reset`, { token })).status, 204);
  await within(async () => (await states(one))[0]?.[0] === "valid", "the reset is heard");
  assert.deepEqual(await keysTried(two), both);
  await within(async () => (await states(one))[0]?.[0] === "permanent", "still refused");
  assert.deepEqual(await keysTried(one), [CENTRAL_KEY]);

  const switched = await one.api("PATCH", keyPath, { token, body: { enabled: false } });
  assert.equal(switched.status, 200);
  assert.deepEqual((await states(one))[0], ["disabled", null]);
  // Its gateway has forgotten the key with the key's error; the database says so a moment before.
  await within(async () => String((await states(two))[0]) === "disabled,", "the other one knows");
  // Neither server asks with it, although a reset would have made it worth trying.
  assert.equal((await one.api("POST", `${keyPath}/reset`, { token })).status, 204);
  assert.deepEqual(await keysTried(one), [CENTRAL_KEY]);
  assert.deepEqual(await keysTried(two), [CENTRAL_KEY]);
});

async function within(holds: () => Promise<boolean>, what: string): Promise<void> {
  const startedMs = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - startedMs < WITHIN_MS, `${what} within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
