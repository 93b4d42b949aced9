/** An operator who describes model providers in the server's environment, and what becomes of them. */
import { setUpFirstUser, startRealServer, type RealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CENTRAL_KEY } from "./gateway-world.ts";

/** All servers must be able to open what one of them has sealed. */
const ENCRYPTION = {
  ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: Buffer.alloc(32, 7).toString("base64"),
};
const SERVER_MAIN = join(import.meta.dirname, "../../apps/server/src/main.ts");
const PATH = "/api/v2/ai/providers";

test("servers that start at once serve what their environment describes; restarts change nothing", async () => {
  await using database = await testDatabase();
  await using model = await startScriptedModel({ apiKey: CENTRAL_KEY });
  const env = {
    ...ENCRYPTION,
    CODER_AIBRIDGE_OPENAI_KEY: CENTRAL_KEY,
    CODER_AIBRIDGE_OPENAI_BASE_URL: `${model.url}/v1`,
    ATELIER_AI_GATEWAY_PROVIDER_0_TYPE: "anthropic",
    ATELIER_AI_GATEWAY_PROVIDER_0_NAME: "claude",
    ATELIER_AI_GATEWAY_PROVIDER_0_KEYS: `${CENTRAL_KEY},sk-second-0123456789abcdef`,
    ATELIER_AI_GATEWAY_PROVIDER_0_BASE_URL: model.url,
  };
  const options = { postgresUrl: database.url, env };
  const [one, two] = await Promise.all([startRealServer(options), startRealServer(options)]);
  await using _one = one;
  await using _two = two;
  const person = await setUpFirstUser(one);
  for (const server of [one, two]) {
    assert.equal(await ask(server, person.token, "openai/v1/chat/completions"), 200);
    assert.equal(await ask(server, person.token, "claude/v1/messages"), 200);
  }
  const { body: listed } = await one.api("GET", PATH, { token: person.session });
  assert.deepEqual(
    listed.providers.map((each: any) => [each.name, each.type, each.api_keys.length]), // oxlint-disable-line typescript/no-explicit-any -- As the API answers.
    [
      ["claude", "anthropic", 2],
      ["openai", "openai", 1],
    ],
  );
  const { body: audit } = await one.api("GET", "/api/v2/audit?q=resource_type:ai_provider", {
    token: person.session,
  });
  assert.equal(audit.count, 2, "stored once");
  const { body: config } = await two.api("GET", "/api/v2/deployment/config", {
    token: person.session,
  });
  assert.doesNotMatch(JSON.stringify([config, listed, audit]), /sk-central-0123|sk-second-0123/);
  assert.match(JSON.stringify(config), /"ai-gateway-provider-0-keys"/);

  assert.equal(await two.stop(), 0);
  await using again = await startRealServer(options);
  assert.equal(await ask(again, person.token, "openai/v1/chat/completions"), 200);
  const after = await again.api("GET", PATH, { token: person.session });
  assert.deepEqual(after.body, { ...listed, providers: after.body.providers });
  assert.deepEqual(after.body.providers[1].id, listed.providers[1].id);
});

test("a server does not start against what was changed since, and says how to go on", async () => {
  await using database = await testDatabase();
  const env = { ...ENCRYPTION, ATELIER_AI_GATEWAY_OPENAI_KEY: CENTRAL_KEY };
  const options = { postgresUrl: database.url, env };
  const first = await startRealServer(options);
  const { session: token } = await setUpFirstUser(first);
  const body = { api_keys: [{ api_key: "sk-rotated-0123456789abcdef" }] };
  assert.equal((await first.api("PATCH", `${PATH}/openai`, { token, body })).status, 200);
  assert.equal(await first.stop(), 0);

  const refused = await startInVain(options);
  assert.equal(refused.code, 1);
  assert.match(
    refused.text,
    /Could not start: ai provider "openai": the stored provider differs from the current environment configuration \(options ai-gateway-openai-\*\) in its keys\./,
  );
  assert.match(refused.text, /take these options away/);
  assert.doesNotMatch(refused.text, /0123456789abcdef|\bat .*\.ts:/, "neither keys nor a stack");

  // First way out: what is stored counts.
  const without = await startRealServer({ ...options, env: ENCRYPTION });
  const kept = await without.api("GET", `${PATH}/openai`, { token });
  assert.equal(kept.body.api_keys[0].masked, "sk-r...cdef");
  // Second way out: what the environment says counts.
  const same = { api_keys: [{ api_key: CENTRAL_KEY }] };
  assert.equal((await without.api("PATCH", `${PATH}/openai`, { token, body: same })).status, 200);
  assert.equal(await without.stop(), 0);
  const agreed = await startRealServer(options);
  assert.equal((await agreed.api("DELETE", `${PATH}/openai`, { token })).status, 204);
  assert.equal(await agreed.stop(), 0);
  // Third: it was deleted, and stays so.
  await using after = await startRealServer(options);
  assert.equal((await after.api("GET", PATH, { token })).body.count, 0);
});

test("options that contradict each other end the start before the database is touched", async () => {
  const refused = await startInVain({
    postgresUrl: "postgres://nobody@127.0.0.1:1/none",
    env: { ATELIER_AI_GATEWAY_PROVIDER_1_TYPE: "openai" },
  });
  assert.equal(refused.code, 1);
  assert.match(refused.text, /provider-1-\* is set, but ai-gateway-provider-0-\* is not/);
});

test("a server whose providers are all unusable starts, warns, and can be repaired", async () => {
  await using database = await testDatabase();
  await using model = await startScriptedModel({ apiKey: CENTRAL_KEY });
  const env = { ...ENCRYPTION, ATELIER_AI_GATEWAY_OPENAI_KEY: CENTRAL_KEY };
  const first = await startRealServer({ postgresUrl: database.url, env });
  const person = await setUpFirstUser(first);
  assert.equal(await first.stop(), 0);
  await database.pool.query("update ai_providers set base_url = 'nonsense'");

  await using server = await startRealServer({ postgresUrl: database.url, env: ENCRYPTION });
  assert.match(
    server.log(),
    /all enabled ai providers failed to build; daemon will start with zero providers/,
  );
  assert.equal((await server.api("GET", "/healthz")).status, 200);
  const path = "openai/v1/chat/completions";
  assert.equal(await ask(server, person.token, path), 404);
  const body = { base_url: `${model.url}/v1` };
  const { session: token } = person;
  assert.equal((await server.api("PATCH", `${PATH}/openai`, { token, body })).status, 200);
  assert.equal(await ask(server, person.token, path), 200);
});

/** The status of one request through the gateway. */
async function ask(server: RealServer, token: string, path: string): Promise<number> {
  const answer = await fetch(`${server.url}/api/v2/ai-gateway/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "anthropic-version": "2023-06-01" },
    body: JSON.stringify({
      model: "m",
      max_tokens: 16,
      messages: [{ role: "user", content: "hi" }],
    }),
  });
  await answer.text();
  return answer.status;
}

/** Everything that a server says which ends by itself. */
async function startInVain(options: {
  readonly postgresUrl: string;
  readonly env: Readonly<Record<string, string>>;
}): Promise<{ readonly code: number | null; readonly text: string }> {
  const dataDir = mkdtempSync(join(tmpdir(), "atelier-server-"));
  const args = ["--http-address", "127.0.0.1:0", "--data-dir", dataDir];
  const child = spawn(process.execPath, [SERVER_MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], ATELIER_POSTGRES_URL: options.postgresUrl, ...options.env },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  }
  await once(child, "close");
  rmSync(dataDir, { recursive: true, force: true });
  return { code: child.exitCode, text };
}
