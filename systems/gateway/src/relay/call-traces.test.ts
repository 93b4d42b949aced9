/** The spans of calls through the whole gateway: how many, below which, failed or not, and what they tell. */
import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { test } from "node:test";
import {
  answerJson,
  CALLER,
  provider,
  startTestGateway,
  TOKEN,
  type TestGatewayOptions,
} from "./gateway-testkit.ts";
import {
  CHAT,
  CHAT_ANSWER,
  CHAT_BODY,
  MESSAGES,
  MESSAGES_BODY,
  MESSAGE_REST,
  MESSAGE_START,
} from "./gateway-traffic-testkit.ts";
import { collectSpans, treeOf } from "./span-collector-testkit.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const REFUSAL = { error: { type: "x", message: "your key sk-central said: hi" } };

type Sent = { readonly path: string; readonly body?: string; readonly method?: string };

/** A gateway that traces, one call to it, and its spans. */
async function trace(
  sent: Sent & { readonly headers?: Record<string, string> },
  options: TestGatewayOptions,
) {
  const collector = collectSpans();
  await using gateway = await startTestGateway({ tracer: collector.tracer, ...options });
  const answer = await gateway.send(sent.path, sent);
  const spans = await collector.spans(1);
  const named = (name: string) => {
    const span = spans.find((each) => each.name === name);
    assert.ok(span, `there is a span ${name}`);
    return span;
  };
  return { answer, spans, tree: treeOf(spans), named };
}

const answers =
  (status: number, body: unknown): RequestListener =>
  (_req, res) =>
    answerJson(res, status, body);
const streams =
  (text: string, { isCut = false } = {}): RequestListener =>
  (_req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(text, () => (isCut ? res.destroy() : res.end()));
  };

const OPENING = ["Intercept", "  Intercept.CreateInterceptor", "  Intercept.RecordInterception"];
const FAILED = ["Intercept failed", ...OPENING.slice(1)];
const TOOL_CALLS = ["t1", "t2"].map((id) => {
  return { id, type: "function", function: { name: "look", arguments: "{}" } };
});
const WITH_TOOLS = {
  ...CHAT_ANSWER,
  choices: [{ index: 0, message: { role: "assistant", tool_calls: TOOL_CALLS } }],
};
const THOUGHTS = {
  id: "msg_2",
  type: "message",
  content: ["one", "two"].map((thinking) => ({ type: "thinking", thinking })),
  stop_reason: "end_turn",
  usage: { input_tokens: 3, output_tokens: 4 },
};
const BLOCKING_MESSAGES = MESSAGES_BODY.replace("true", "false");

const CASES: readonly {
  readonly name: string;
  readonly sent: Sent;
  readonly upstream: RequestListener;
  readonly want: readonly string[];
}[] = [
  {
    name: "a blocking answer",
    sent: { path: CHAT, body: CHAT_BODY },
    upstream: answers(200, CHAT_ANSWER),
    want: [
      ...OPENING,
      "  Intercept.ProcessRequest",
      "    Intercept.ProcessRequest.Upstream",
      "  Intercept.RecordPromptUsage",
      "  Intercept.RecordTokenUsage",
      "  Intercept.RecordInterceptionEnded",
    ],
  },
  {
    name: "a stream",
    sent: { path: MESSAGES, body: MESSAGES_BODY },
    upstream: streams(MESSAGE_START + MESSAGE_REST),
    want: [
      ...OPENING,
      "  Intercept.ProcessRequest",
      "    Intercept.ProcessRequest.Upstream",
      "  Intercept.RecordPromptUsage",
      "  Intercept.RecordTokenUsage",
      "  Intercept.RecordInterceptionEnded",
    ],
  },
  {
    name: "tool calls",
    sent: { path: CHAT, body: CHAT_BODY },
    upstream: answers(200, WITH_TOOLS),
    want: [
      ...OPENING,
      "  Intercept.ProcessRequest",
      "    Intercept.ProcessRequest.Upstream",
      "  Intercept.RecordPromptUsage",
      "  Intercept.RecordTokenUsage",
      "  Intercept.RecordToolUsage",
      "  Intercept.RecordToolUsage",
      "  Intercept.RecordInterceptionEnded",
    ],
  },
  {
    name: "thoughts",
    sent: { path: MESSAGES, body: BLOCKING_MESSAGES },
    upstream: answers(200, THOUGHTS),
    want: [
      ...OPENING,
      "  Intercept.ProcessRequest",
      "    Intercept.ProcessRequest.Upstream",
      "  Intercept.RecordModelThought",
      "  Intercept.RecordModelThought",
      "  Intercept.RecordPromptUsage",
      "  Intercept.RecordTokenUsage",
      "  Intercept.RecordInterceptionEnded",
    ],
  },
  {
    name: "a provider's refusal",
    sent: { path: CHAT, body: CHAT_BODY },
    upstream: answers(500, REFUSAL),
    want: [
      ...FAILED,
      "  Intercept.ProcessRequest failed",
      "    Intercept.ProcessRequest.Upstream failed",
      "  Intercept.RecordInterceptionEnded",
    ],
  },
  {
    name: "a provider that hangs up",
    sent: { path: CHAT, body: CHAT_BODY },
    upstream: (req) => req.socket.destroy(),
    want: [
      ...FAILED,
      "  Intercept.ProcessRequest failed",
      "    Intercept.ProcessRequest.Upstream failed",
      "  Intercept.RecordInterceptionEnded",
    ],
  },
  {
    name: "a stream that breaks off: its opening went well",
    sent: { path: MESSAGES, body: MESSAGES_BODY },
    upstream: streams(MESSAGE_START, { isCut: true }),
    want: [
      ...FAILED,
      "  Intercept.ProcessRequest failed",
      "    Intercept.ProcessRequest.Upstream",
      "  Intercept.RecordPromptUsage",
      "  Intercept.RecordTokenUsage",
      "  Intercept.RecordInterceptionEnded",
    ],
  },
  {
    name: "a request that is no JSON",
    sent: { path: CHAT, body: "{" },
    upstream: answers(200, CHAT_ANSWER),
    want: ["Intercept failed", "  Intercept.CreateInterceptor failed"],
  },
  {
    name: "a route that passes through",
    sent: { path: "/openai/v1/models", method: "GET" },
    upstream: answers(200, { data: [] }),
    want: ["Passthrough"],
  },
  {
    name: "a route that passes through to nobody",
    sent: { path: "/openai/v1/models", method: "GET" },
    upstream: (req) => req.socket.destroy(),
    want: ["Passthrough failed"],
  },
];

for (const { name, sent, upstream, want } of CASES) {
  test(`spans of ${name}`, async () => {
    const { tree } = await trace(sent, { upstream });
    assert.deepEqual(tree, want);
  });
}

test("an answer with very many tool calls makes a hundred spans of records", async () => {
  const calls = Array.from({ length: 150 }, (_, i) => ({ ...TOOL_CALLS[0], id: `t${i}` }));
  const choices = [{ index: 0, message: { role: "assistant", tool_calls: calls } }];
  const { spans } = await trace(
    { path: CHAT, body: CHAT_BODY },
    { upstream: answers(200, { ...CHAT_ANSWER, choices }) },
  );
  const recorded = spans.filter(({ name }) => /Record(?:Tool|Prompt|Token)Usage$/.test(name));
  assert.equal(recorded.length, 100);
});

test("each key that is tried is a span, and the first one's failure is not the call's", async () => {
  const keys = ["sk-first", "sk-second"].map((key, i) => {
    return { id: `k${i}`, secret: new Secret(key), hint: key };
  });
  const { tree, spans } = await trace(
    { path: CHAT, body: CHAT_BODY },
    {
      upstream: (req, res) =>
        req.headers.authorization === "Bearer sk-first"
          ? answerJson(res, 429, REFUSAL)
          : answerJson(res, 200, CHAT_ANSWER),
      providers: (url) => [provider("openai", "openai", `${url}/v1/`, { keys })],
    },
  );
  assert.deepEqual(tree, [
    ...OPENING,
    "  Intercept.ProcessRequest",
    "    Intercept.ProcessRequest.Upstream failed",
    "    Intercept.ProcessRequest.Upstream",
    "  Intercept.RecordPromptUsage",
    "  Intercept.RecordTokenUsage",
    "  Intercept.RecordInterceptionEnded",
  ]);
  const attempts = spans.filter(({ name }) => name.endsWith("Upstream"));
  assert.deepEqual(
    attempts.map(({ attributes, status }) => [
      attributes["attempt"],
      attributes["http.response.status_code"],
      status.message,
    ]),
    [
      [1, 429, "the provider answered 429"],
      [2, 200, undefined],
    ],
  );
});

test("a start that cannot be recorded fails, and no provider is asked", async () => {
  const { tree, answer } = await trace(
    { path: CHAT, body: CHAT_BODY },
    { upstream: answers(200, {}), recordStart: () => Promise.reject(new Error("no database")) },
  );
  assert.equal(answer.status, 500);
  assert.deepEqual(tree, [
    "Intercept failed",
    "  Intercept.CreateInterceptor",
    "  Intercept.RecordInterception failed",
  ]);
});

test("spans say who, what, which model and how many tokens", async () => {
  const { named } = await trace(
    { path: MESSAGES, body: MESSAGES_BODY },
    { upstream: streams(MESSAGE_START + MESSAGE_REST) },
  );
  const about = {
    request_path: "/v1/messages",
    user_id: CALLER.userId,
    provider: "anthropic",
    model: "claude-x",
    streaming: true,
    aws_bedrock: false,
  };
  const { interception_id: id, ...root } = named("Intercept").attributes;
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  assert.deepEqual(root, {
    ...about,
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-x",
    "gen_ai.response.id": "msg_1",
    "gen_ai.usage.input_tokens": 7,
    "gen_ai.usage.output_tokens": 5,
    "http.response.status_code": 200,
  });
  const { "server.port": port, ...upstream } = named(
    "Intercept.ProcessRequest.Upstream",
  ).attributes;
  assert.equal(typeof port, "number");
  assert.deepEqual(upstream, {
    ...about,
    interception_id: id,
    attempt: 1,
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-x",
    "http.request.method": "POST",
    "http.response.status_code": 200,
    "server.address": "127.0.0.1",
  });
  for (const name of ["CreateInterceptor", "RecordTokenUsage", "ProcessRequest"]) {
    const want = { ...about, interception_id: id };
    assert.deepEqual(named(`Intercept.${name}`).attributes, want, name);
  }
});

test("tokens from and into a cache count as input", async () => {
  const { named } = await trace(
    { path: CHAT, body: CHAT_BODY },
    { upstream: answers(200, CHAT_ANSWER) },
  );
  const { attributes } = named("Intercept");
  assert.equal(attributes["gen_ai.usage.input_tokens"], 10);
  assert.equal(attributes["gen_ai.usage.cache_read.input_tokens"], 4);
});

test("a span of a passthrough call says where it went, without the query", async () => {
  const { named } = await trace(
    { path: "/openai/v1/models/x?key=secret-of-mine", method: "GET" },
    { upstream: answers(200, {}) },
  );
  const { passthrough_upstream_url: url, ...others } = named("Passthrough").attributes;
  assert.match(String(url), /^http:\/\/127\.0\.0\.1:\d+\/v1\/models\/x$/);
  assert.deepEqual(others, {
    user_id: CALLER.userId,
    provider: "openai",
    passthrough_url: "/v1/models/x",
    passthrough_method: "GET",
    attempt: 1,
    "http.response.status_code": 200,
  });
});

for (const status of [200, 400]) {
  test(`no span of an answer ${status} holds a prompt, an answer, a key or a token`, async () => {
    const { spans } = await trace(
      { path: CHAT, body: CHAT_BODY.replace("hi", "prompt-canary") },
      {
        upstream: answers(
          status,
          status === 200
            ? { ...CHAT_ANSWER, choices: [{ message: { content: "answer-canary" } }] }
            : { error: { message: "sk-central prompt-canary answer-canary", type: "bad" } },
        ),
      },
    );
    const told = JSON.stringify(
      spans.map(({ name, attributes, status: ended, events }) => [name, attributes, ended, events]),
    );
    for (const secret of ["canary", "sk-central", TOKEN]) assert.ok(!told.includes(secret), secret);
    assert.ok(told.includes("gpt-x"));
  });
}

test("a client's trace is continued, and one that is not sampled makes no spans", async () => {
  const collector = collectSpans();
  await using gateway = await startTestGateway({
    tracer: collector.tracer,
    upstream: answers(200, CHAT_ANSWER),
  });
  for (const flags of ["00", "01"]) {
    const headers = { traceparent: `00-${TRACE}-${SPAN}-${flags}` };
    await gateway.send(CHAT, { body: CHAT_BODY, headers });
  }
  const spans = await collector.spans(1);
  assert.deepEqual(new Set(spans.map((span) => span.spanContext().traceId)), new Set([TRACE]));
  const roots = spans.filter(({ name }) => name === "Intercept");
  assert.deepEqual(
    roots.map(({ parentSpanContext: parent }) => parent?.spanId),
    [SPAN],
  );
});

for (const { isTold, flags } of [
  { isTold: false, flags: "01" },
  { isTold: true, flags: "01" },
  { isTold: true, flags: "00" },
]) {
  test(`a provider is ${isTold ? "told" : "not told"} of a trace with flags ${flags}`, async () => {
    const seen: string[][] = [];
    const collector = collectSpans();
    await using gateway = await startTestGateway({
      tracer: collector.tracer,
      config: { sendTraceHeaders: isTold },
      upstream: (req, res) => {
        seen.push(
          ["traceparent", "tracestate", "baggage"].map((name) => String(req.headers[name])),
        );
        answerJson(res, 200, CHAT_ANSWER);
      },
    });
    const headers = {
      traceparent: `00-${TRACE}-${SPAN}-${flags}`,
      tracestate: "vendor=a",
      baggage: "user=ann",
    };
    await gateway.send(CHAT, { body: CHAT_BODY, headers });
    await gateway.send("/openai/v1/models", { method: "GET", headers });
    for (const [parent = "", state, baggage] of seen) {
      assert.deepEqual([state, baggage], ["undefined", "undefined"]);
      if (!isTold) assert.equal(parent, "undefined");
      else assert.match(parent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-${flags}$`));
      assert.ok(!parent.includes(SPAN), "the parent is our span, not the client's");
    }
    assert.equal(seen.length, 2);
  });
}
