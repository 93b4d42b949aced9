/** The lines that operators search the log for, and their fields. */
import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerJson, provider, startTestGateway, TOKEN } from "./gateway-testkit.ts";
import { CHAT, CHAT_ANSWER, CHAT_BODY } from "./gateway-traffic-testkit.ts";
import { collectLog } from "./log-collector-testkit.ts";

test("an interception is logged as it starts and as it ends, with the key that served", async () => {
  const { log, lines } = collectLog();
  await using gateway = await startTestGateway({
    upstream: (_req, res) => answerJson(res, 200, CHAT_ANSWER),
    log,
  });
  await gateway.send(CHAT, { body: CHAT_BODY, headers: { "user-agent": "mine/1" } });
  const [end] = await gateway.ended(1);
  const about = {
    interception_id: end?.id,
    provider: "openai",
    model: "gpt-x",
    route: "/chat/completions",
    user_agent: "mine/1",
    streaming: false,
    credential_kind: "centralized",
  };
  const told = lines.filter(({ message }) => message.startsWith("interception"));
  const durationMs = told[1]?.fields["duration_ms"];
  assert.equal(typeof durationMs, "number");
  assert.deepEqual(told, [
    {
      level: "debug",
      message: "interception started",
      fields: { ...about, credential_hint: "<keypool-pending>" },
    },
    {
      level: "debug",
      message: "interception ended",
      fields: { ...about, credential_hint: "sk...al", duration_ms: durationMs },
    },
  ]);
});

for (const { headers, hint } of [
  { headers: { authorization: "Bearer own-credential-1234" }, hint: "bearer_hint" },
  { headers: { "x-api-key": "own-credential-1234" }, hint: "api_key_hint" },
]) {
  test(`a caller's own credential is told by its mask and length (${hint})`, async () => {
    const { log, lines } = collectLog();
    await using gateway = await startTestGateway({
      upstream: (_req, res) => answerJson(res, 500, { error: { message: "no" } }),
      log,
    });
    await gateway.send("/anthropic/v1/messages", {
      token: null,
      headers: { ...headers, "x-coder-ai-governance-token": TOKEN },
      body: `{"model":"m","max_tokens":1,"messages":[]}`,
    });
    await gateway.ended(1);
    const [started, failed] = lines.filter(({ message }) => message.startsWith("interception"));
    assert.equal(started?.fields[hint], "ow...34");
    assert.equal(started?.fields["credential_length"], 19);
    assert.equal(started?.fields["credential_kind"], "byok");
    assert.deepEqual([failed?.level, failed?.message], ["warn", "interception failed"]);
    assert.equal(failed?.fields["credential_hint"], "ow...34");
    assert.ok(!JSON.stringify(lines).includes("own-credential-1234"));
  });
}

test("a circuit breaker's changes and an unknown route are logged", async () => {
  const { log, lines } = collectLog();
  await using gateway = await startTestGateway({
    upstream: (_req, res) => answerJson(res, 503, {}),
    config: {
      circuitBreaker: { failureThreshold: 1, intervalMs: 10_000, openMs: 60_000, probesMax: 1 },
    },
    providers: (url) => [
      provider("openai", "openai", `${url}/v1/`, {
        keys: [{ id: "k", secret: new Secret("sk-test"), hint: "" }],
      }),
    ],
    log,
  });
  await gateway.send(CHAT, { body: CHAT_BODY });
  await gateway.ended(1);
  await gateway.send("/openai/v1/nothing", { body: "{}" });
  const told = lines.filter(({ message }) => /circuit|route/.test(message));
  assert.deepEqual(told, [
    {
      level: "info",
      message: "circuit breaker state change",
      fields: {
        provider: "openai",
        endpoint: "/chat/completions",
        model: "gpt-x",
        from: "closed",
        to: "open",
      },
    },
    {
      level: "warn",
      message: "route not supported",
      fields: { method: "POST", path: "/openai/v1/nothing" },
    },
  ]);
});
