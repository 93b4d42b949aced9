/** What the gateway counts, with which labels, through the whole gateway. */
import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { answerJson, CALLER, provider, startTestGateway } from "./gateway-testkit.ts";
import {
  CHAT,
  CHAT_ANSWER,
  CHAT_BODY,
  MESSAGES,
  MESSAGES_BODY,
  MESSAGE_REST,
  MESSAGE_START,
} from "./gateway-traffic-testkit.ts";

const CODEX = { "user-agent": "codex_cli_rs/1" };
const TOOL_CALLS = ["look", "look", "list"].map((name, i) => {
  return { id: `t${i}`, type: "function", function: { name, arguments: "{}" } };
});

test("interceptions are counted by provider, model, outcome, route, method and client", async () => {
  await using gateway = await startTestGateway({
    upstream: (req, res) =>
      req.url?.includes("messages") === true
        ? answerJson(res, 500, { type: "error", error: { type: "api_error", message: "no" } })
        : answerJson(res, 200, CHAT_ANSWER),
  });
  await gateway.send(CHAT, { body: CHAT_BODY, headers: CODEX });
  await gateway.send(CHAT, { body: CHAT_BODY, headers: CODEX });
  await gateway.send(MESSAGES, { body: MESSAGES_BODY.replace("true", "false") });
  await gateway.ended(3);
  assert.deepEqual(await gateway.metricLines("interceptions_total"), [
    'atelier_ai_gateway_interceptions_total{provider="anthropic",model="claude-x",route="/v1/messages",method="POST",client="Unknown",status="failed"} 1',
    'atelier_ai_gateway_interceptions_total{provider="openai",model="gpt-x",route="/chat/completions",method="POST",client="Codex",status="completed"} 2',
  ]);
  assert.deepEqual(await gateway.metricLines("prompts_total"), [
    'atelier_ai_gateway_prompts_total{provider="openai",model="gpt-x",client="Codex"} 2',
  ]);
  assert.deepEqual(await gateway.metricLines("interceptions_duration_seconds_count"), [
    'atelier_ai_gateway_interceptions_duration_seconds_count{provider="anthropic",model="claude-x"} 1',
    'atelier_ai_gateway_interceptions_duration_seconds_count{provider="openai",model="gpt-x"} 2',
  ]);
});

test("users are a label where an operator wants that", async () => {
  await using gateway = await startTestGateway({
    config: { metricsByUser: true },
    upstream: (_req, res) => answerJson(res, 200, CHAT_ANSWER),
  });
  await gateway.send(CHAT, { body: CHAT_BODY });
  await gateway.ended(1);
  for (const name of ["interceptions_total", "prompts_total", "tokens_total"]) {
    const lines = await gateway.metricLines(name);
    assert.ok(lines.length > 0);
    for (const line of lines) assert.ok(line.includes(`initiator_id="${CALLER.userId}"`), line);
  }
});

test("a request counts as under way until its answer is whole", async () => {
  const answered = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      reached.resolve();
      answered.promise.then(
        () => answerJson(res, 200, CHAT_ANSWER),
        () => {},
      );
    },
  });
  const labels = '{provider="openai",model="gpt-x",route="/chat/completions"}';
  const line = `atelier_ai_gateway_interceptions_inflight${labels}`;
  const sent = gateway.send(CHAT, { body: CHAT_BODY });
  await reached.promise;
  assert.deepEqual(await gateway.metricLines("interceptions_inflight"), [`${line} 1`]);
  answered.resolve();
  await sent;
  await gateway.ended(1);
  assert.deepEqual(await gateway.metricLines("interceptions_inflight"), [`${line} 0`]);
});

test("tokens are counted by type, the provider's further counts by their names", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) =>
      answerJson(res, 200, {
        ...CHAT_ANSWER,
        usage: {
          prompt_tokens: 10,
          completion_tokens: 5,
          prompt_tokens_details: { cached_tokens: 4 },
          completion_tokens_details: { reasoning_tokens: 3, audio_tokens: -7 },
        },
      }),
  });
  await gateway.send(CHAT, { body: CHAT_BODY });
  await gateway.ended(1);
  const counts = (await gateway.metricLines("tokens_total")).map((line) => {
    const [, type, count] = /type="(\w+)".* (\d+)$/.exec(line) ?? [];
    return `${type} ${count}`;
  });
  assert.deepEqual(counts.toSorted(), [
    "cache_read_input_tokens 4",
    "completion_reasoning 3",
    "input 6",
    "output 5",
  ]);
});

test("calls of clients' tools are counted by their names", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) =>
      answerJson(res, 200, {
        ...CHAT_ANSWER,
        choices: [{ index: 0, message: { role: "assistant", tool_calls: TOOL_CALLS } }],
      }),
  });
  await gateway.send(CHAT, { body: CHAT_BODY });
  await gateway.ended(1);
  const metric = "atelier_ai_gateway_non_injected_tool_selections_total";
  assert.deepEqual(await gateway.metricLines("non_injected_tool_selections_total"), [
    `${metric}{provider="openai",model="gpt-x",name="list"} 1`,
    `${metric}{provider="openai",model="gpt-x",name="look"} 2`,
  ]);
});

test("models that clients make up share one label, and those that answer keep theirs", async () => {
  await using gateway = await startTestGateway({
    upstream: (req, res) => {
      req.resume();
      once(req, "end").then(
        () => answerJson(res, 404, { error: { message: "no such model" } }),
        () => {},
      );
    },
  });
  for (let i = 0; i < 40; i += 1) {
    await gateway.send(CHAT, { body: CHAT_BODY.replace("gpt-x", `made-up-${i}`) });
  }
  await gateway.ended(40);
  const lines = await gateway.metricLines("interceptions_total");
  assert.equal(lines.length, 26);
  assert.ok(
    lines.some((line) => /model="other".* 15$/.test(line)),
    lines.join("\n"),
  );
});

test("a passthrough call counts under the pattern of its route", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) => answerJson(res, 200, {}),
  });
  for (const id of ["a", "b"]) await gateway.send(`/openai/v1/models/${id}`, { method: "GET" });
  await gateway.send("/anthropic/v1/messages/count_tokens", { body: "{}" });
  assert.deepEqual(await gateway.metricLines("passthrough_total"), [
    'atelier_ai_gateway_passthrough_total{provider="anthropic",route="/v1/messages/count_tokens",method="POST"} 1',
    'atelier_ai_gateway_passthrough_total{provider="openai",route="/models/",method="GET"} 2',
  ]);
});

test("keys and circuit breakers tell of their states, changes and refusals", async () => {
  const keys = ["sk-one", "sk-two"].map((key, i) => {
    return { id: `k${i}`, secret: new Secret(key), hint: "" };
  });
  await using gateway = await startTestGateway({
    upstream: (req, res) =>
      req.headers.authorization === "Bearer sk-one"
        ? answerJson(res, 401, { error: { message: "no" } })
        : answerJson(res, 503, { error: { message: "busy" } }),
    config: {
      circuitBreaker: { failureThreshold: 1, intervalMs: 10_000, openMs: 60_000, probesMax: 1 },
    },
    providers: (url) => [provider("openai", "openai", `${url}/v1/`, { keys })],
  });
  await gateway.send(CHAT, { body: CHAT_BODY });
  await gateway.ended(1);
  const refused = await gateway.send(CHAT, { body: CHAT_BODY });
  assert.equal(refused.status, 503);
  await gateway.ended(2);
  const labels = '{provider="openai",endpoint="/chat/completions",model="gpt-x"}';
  assert.deepEqual(await gateway.metricLines("circuit_breaker_"), [
    `atelier_ai_gateway_circuit_breaker_rejects_total${labels} 1`,
    `atelier_ai_gateway_circuit_breaker_state${labels} 1`,
    `atelier_ai_gateway_circuit_breaker_trips_total${labels} 1`,
  ]);
  assert.deepEqual(await gateway.metricLines("key_pool_state"), [
    'atelier_ai_gateway_key_pool_state_transitions_total{provider="openai",reason="unauthorized"} 1',
    'atelier_ai_gateway_key_pool_state{provider="openai",state="permanent"} 0',
    'atelier_ai_gateway_key_pool_state{provider="openai",state="temporary"} 1',
    'atelier_ai_gateway_key_pool_state{provider="openai",state="valid"} 1',
  ]);
  const attempts = await gateway.metricLines("key_pool_failover_attempts_sum");
  assert.deepEqual(attempts, [
    'atelier_ai_gateway_key_pool_failover_attempts_sum{provider="openai"} 2',
  ]);
});

test("a stream is counted as any other call", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.end(MESSAGE_START + MESSAGE_REST);
    },
  });
  await gateway.send(MESSAGES, { body: MESSAGES_BODY });
  await gateway.ended(1);
  const [line = ""] = await gateway.metricLines("interceptions_total");
  assert.match(line, /model="claude-x".*status="completed"\} 1$/);
});
