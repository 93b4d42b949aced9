/** Amazon Bedrock end to end: real sockets, and an upstream that checks signatures for itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { Secret } from "@atelier/base/secret";
import type { BedrockAccess, GatewayProvider } from "@atelier/contract/rpc/gateway-ports";
import {
  startScriptedBedrock,
  type BedrockReply,
  type ScriptedBedrock,
  type ScriptedBedrockOptions,
} from "@atelier/testkit/scripted-bedrock";
import type { GatewayConfig } from "../start.ts";
import { provider, startTestGateway, TOKEN, type TestGateway } from "./gateway-testkit.ts";

const MODEL = "global.anthropic.claude-sonnet-4-5-20250929-v1:0";
const SMALL = "global.anthropic.claude-haiku-4-5-20251001-v1:0";
const ACCESS_KEY = "AKIA0123456789EXAMPLE";
const STATIC: BedrockAccess = {
  region: "eu-west-1",
  model: MODEL,
  smallFastModel: SMALL,
  accessKey: new Secret(ACCESS_KEY),
  accessKeySecret: new Secret("central-secret"),
  sessionToken: null,
  bearerToken: null,
  profile: null,
  roleArn: null,
  externalId: null,
  stsEndpoint: null,
};
const NO_KEYS = { accessKey: null, accessKeySecret: null };
const ROUTE = "/bedrock/v1/messages";
const BLOCKING = `{"model":"claude-x","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`;
const STREAMING = `{"model":"claude-x","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`;
const MESSAGE = {
  id: "msg_bdrk_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-4-5-20250929",
  content: [{ type: "text", text: "hello" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 7, output_tokens: 5 },
};
const EVENTS = [
  `{"type":"message_start","message":{"id":"msg_bdrk_1","usage":{"input_tokens":7,"output_tokens":1}}}`,
  `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"Read","input":{}}}`,
  `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\\"a\\":1}"}}`,
  `{"type":"content_block_stop","index":0}`,
  `{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}}`,
  `{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":7}}`,
];
const SSE = EVENTS.map(
  (event) => `event: ${(JSON.parse(event) as { type: string }).type}\ndata: ${event}\n\n`,
).join("");

type World = AsyncDisposable & { readonly bedrock: ScriptedBedrock; readonly gateway: TestGateway };

type WorldOptions = Partial<ScriptedBedrockOptions> & {
  readonly access?: Partial<BedrockAccess>;
  readonly overrides?: Partial<GatewayProvider>;
  readonly basePath?: string;
  readonly config?: Partial<GatewayConfig>;
};

async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { access, overrides, basePath = "", config = {}, ...scripted } = options;
  await using resources = new AsyncDisposableStack();
  const bedrock = resources.use(await startScriptedBedrock({ reply: ordinary, ...scripted }));
  bedrock.keys.set(ACCESS_KEY, { secret: "central-secret", token: null });
  const gateway = resources.use(
    await startTestGateway({
      config,
      upstream: (_req, res) => res.destroy(),
      providers: () => [
        provider("bedrock", "bedrock", `${bedrock.url}${basePath}`, {
          keys: [],
          bedrock: {
            ...STATIC,
            ...access,
            // Given as "here" by tests that assume roles: the port is known only now.
            stsEndpoint: access?.stsEndpoint === "here" ? bedrock.url : null,
          },
          ...overrides,
        }),
      ],
    }),
  );
  const held = resources.move();
  return { bedrock, gateway, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

function ordinary({ path }: { readonly path: string }): BedrockReply {
  return path.endsWith("/invoke-with-response-stream")
    ? { kind: "events", events: EVENTS, chunkBytes: 7 }
    : { kind: "message", message: MESSAGE };
}

function errorOf(body: Uint8Array): { type: string; message: string } {
  const parsed = JSON.parse(Buffer.from(body).toString()) as { type: string; error: never };
  assert.equal(parsed.type, "error");
  return parsed.error;
}

test("a blocking request is signed, rewritten, answered and recorded", async () => {
  await using world = await startWorld({ basePath: "/base" });
  const got = await world.gateway.send(`${ROUTE}?beta=true`, {
    body: BLOCKING,
    headers: {
      "anthropic-version": "2023-06-01",
      "anthropic-beta": ["context-1m-2025-08-07, unknown-1", "effort-2025-11-24"],
      "x-amz-date": "19990101T000000Z",
      "x-stainless-lang": "js",
    },
  });
  assert.equal(got.status, 200);
  assert.deepEqual(JSON.parse(got.body.toString()), MESSAGE);
  const [call] = world.bedrock.calls;
  assert.deepEqual(
    [call?.method, call?.path, call?.signature],
    [
      "POST",
      `/base/model/${encodeURIComponent(MODEL)}/invoke`,
      { accessKey: ACCESS_KEY, region: "eu-west-1", service: "bedrock", problem: null },
    ],
  );
  assert.deepEqual(JSON.parse(call?.body.toString() ?? ""), {
    max_tokens: 9,
    messages: [{ role: "user", content: "hi" }],
    anthropic_version: "bedrock-2023-05-31",
    anthropic_beta: ["context-1m-2025-08-07"],
  });
  assert.equal(call?.headers["anthropic-beta"], undefined);
  assert.equal(call?.headers["x-stainless-lang"], "js");
  const [start] = world.gateway.recorded.starts;
  assert.deepEqual(
    [start?.model, start?.credentialKind, start?.credentialHint, start?.provider.type],
    [MODEL, "centralized", "AKIA...MPLE", "bedrock"],
  );
  const [end] = await world.gateway.ended(1);
  assert.equal(end?.error, null);
  assert.equal(end?.credentialHint, "AKIA...MPLE");
  assert.deepEqual(end?.trail, { kind: "plain", reason: "keyless" });
  assert.deepEqual([end?.tokens[0]?.input, end?.tokens[0]?.output], [7, 5]);
  assert.equal(end?.prompts[0]?.prompt, "hi");
});

test("a stream comes as server-sent events and is recorded as any other", async () => {
  await using world = await startWorld();
  const got = await world.gateway.send(ROUTE, { body: STREAMING });
  assert.equal(got.status, 200);
  assert.match(got.headers["content-type"] ?? "", /^text\/event-stream/);
  assert.equal(got.headers["x-accel-buffering"], "no");
  assert.equal(got.body.toString(), SSE);
  const [call] = world.bedrock.calls;
  assert.match(call?.path ?? "", /\/invoke-with-response-stream$/);
  assert.equal(call?.headers.accept, "application/vnd.amazon.eventstream");
  const [end] = await world.gateway.ended(1);
  assert.deepEqual(
    [end?.error, end?.tokens[0]?.output, end?.toolCalls.map(({ tool, input }) => [tool, input])],
    [null, 5, [["Read", `{"a":1}`]]],
  );
});

test("a request for a haiku goes to the small model, and that one is recorded", async () => {
  await using world = await startWorld();
  await world.gateway.send(ROUTE, { body: BLOCKING.replace("claude-x", "claude-haiku-4-5") });
  assert.equal(world.bedrock.calls[0]?.path, `/model/${encodeURIComponent(SMALL)}/invoke`);
  assert.equal(world.gateway.recorded.starts[0]?.model, SMALL);
});

test("an inference profile's ARN is escaped in the path, and signed as it is sent", async () => {
  const model = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude (x)!";
  await using world = await startWorld({ access: { model } });
  const got = await world.gateway.send(ROUTE, { body: BLOCKING });
  assert.equal(got.status, 200);
  assert.match(world.bedrock.calls[0]?.path ?? "", /^\/model\/arn%3Aaws.*inference-profile%2Fus/);
});

const PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123";
const OPUS_ARN = "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-opus-4-7-v1:0";
const THINKING = `{"model":"x","max_tokens":9000,"thinking":{"type":"adaptive"},"messages":[]}`;

test("Bedrock is asked once which model is behind an application inference profile", async () => {
  await using world = await startWorld({
    access: { model: PROFILE },
    reply: (call) =>
      call.path.startsWith("/inference-profiles/")
        ? { kind: "message", message: { models: [{ modelArn: OPUS_ARN }] } }
        : ordinary(call),
  });
  const sends = [1, 2].map(() => world.gateway.send(ROUTE, { body: THINKING }));
  for (const got of await Promise.all(sends)) assert.equal(got.status, 200);
  const [asked, ...called] = world.bedrock.calls;
  assert.deepEqual(
    [asked?.method, asked?.path, asked?.signature?.problem],
    ["GET", `/inference-profiles/${encodeURIComponent(PROFILE)}`, null],
  );
  assert.equal(called.length, 2);
  for (const { path, body } of called) {
    assert.equal(path, `/model/${encodeURIComponent(PROFILE)}/invoke`);
    assert.match(body.toString(), /"thinking":\{"type":"adaptive"\}/);
  }
});

test("a profile that may not be read is a model of which nothing is known", async () => {
  await using world = await startWorld({
    access: { model: PROFILE },
    reply: (call) =>
      call.path.startsWith("/inference-profiles/")
        ? { kind: "refusal", status: 403, name: "AccessDeniedException", message: "no" }
        : ordinary(call),
  });
  for (const _ of [1, 2]) await world.gateway.send(ROUTE, { body: THINKING });
  const [, ...called] = world.bedrock.calls;
  assert.equal(called.length, 2);
  for (const { body } of called) assert.match(body.toString(), /"budget_tokens":7200/);
});

test("a stream larger than any buffer comes whole and in order", async () => {
  const delta = (index: number): string => `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${"x".repeat(8_000)}${index}"}}`; // prettier-ignore
  const events = [...EVENTS.slice(0, 1), ...Array.from({ length: 400 }, (_, i) => delta(i)), ...EVENTS.slice(4)]; // prettier-ignore
  await using world = await startWorld({ reply: () => ({ kind: "events", events, chunkBytes: 60_000 }) }); // prettier-ignore
  const got = await world.gateway.send(ROUTE, { body: STREAMING });
  const texts = [...got.body.toString().matchAll(/x(\d+)"/g)].map(([, index]) => Number(index));
  assert.deepEqual(texts, [...Array(400).keys()]);
  assert.equal(got.isComplete, true);
});

test("a compressed request is sent plain", async () => {
  await using world = await startWorld();
  const headers = { "content-encoding": "gzip", "content-type": "application/json" };
  const got = await world.gateway.send(ROUTE, { body: gzipSync(BLOCKING), headers });
  assert.equal(got.status, 200);
  const [call] = world.bedrock.calls;
  assert.equal(call?.headers["content-encoding"], undefined);
  assert.equal((JSON.parse(call?.body.toString() ?? "") as { max_tokens: number }).max_tokens, 9);
});

test("an anthropic provider with Bedrock settings is one of Bedrock, and its keys are not used", async () => {
  await using world = await startWorld({
    overrides: { type: "anthropic", keys: [{ id: "k", secret: new Secret("sk-ant"), hint: "h" }] },
  });
  const got = await world.gateway.send(ROUTE, { body: BLOCKING });
  assert.equal(got.status, 200);
  assert.equal(world.bedrock.calls[0]?.signature?.problem, null);
  assert.equal(world.gateway.recorded.starts[0]?.provider.type, "anthropic");
  assert.equal(world.bedrock.calls[0]?.headers["x-api-key"], undefined);
});

test("a Bedrock API key is sent as bearer, and nothing is signed", async () => {
  const bearerToken = new Secret("bedrock-api-key-0123456789");
  await using world = await startWorld({ access: { ...NO_KEYS, bearerToken } });
  world.bedrock.bearers.add(bearerToken.reveal());
  const got = await world.gateway.send(ROUTE, { body: STREAMING });
  assert.equal(got.body.toString(), SSE);
  assert.equal(world.bedrock.calls[0]?.headers["x-amz-date"], undefined);
  const [end] = await world.gateway.ended(1);
  assert.equal(end?.credentialHint, "bedr...6789");
});

for (const route of [ROUTE, "/bedrock/v1/models"]) {
  test(`${route}: the company's Bedrock API key is taken out of a refusal that repeats it`, async () => {
    const key = "bedrock-api-key-0123456789";
    const message = `no access with Bearer ${key}`;
    await using world = await startWorld({
      access: { ...NO_KEYS, bearerToken: new Secret(key) },
      reply: () => ({ kind: "refusal", status: 403, name: "AccessDeniedException", message }),
    });
    world.bedrock.bearers.add(key);
    const got = await world.gateway.send(route, { body: BLOCKING });
    assert.equal(got.status, 403);
    assert.ok(
      got.body.toString().includes(`Bearer ${"*".repeat(key.length)}`),
      got.body.toString(),
    );
    if (route === ROUTE) await world.gateway.ended(1);
    assert.ok(!JSON.stringify(world.gateway.recorded).includes(key));
  });
}

test("the company's Bedrock API key is taken out of a stream's exception", async () => {
  const key = "bedrock-api-key-0123456789";
  const exception = { name: "internalServerException", message: `broken: ${key}` };
  await using world = await startWorld({
    access: { ...NO_KEYS, bearerToken: new Secret(key) },
    reply: () => ({ kind: "events", events: EVENTS.slice(0, 2), exception }),
  });
  world.bedrock.bearers.add(key);
  const got = await world.gateway.send(ROUTE, { body: STREAMING });
  assert.ok(got.body.toString().includes(`broken: ${"*".repeat(key.length)}`), got.body.toString());
  const [end] = await world.gateway.ended(1);
  assert.equal(end?.error?.message, `broken: ${"*".repeat(key.length)}`);
});

for (const [name, own, want] of [
  ["an own API key", { "x-api-key": "own-key-0123456789abc" }, "own-key-0123456789abc"],
  ["an own bearer", { authorization: "Bearer own-bearer-0123456789" }, "own-bearer-0123456789"],
  ["both, of which the API key counts", { "x-api-key": "own-key-0123456789abc", authorization: "Bearer own-bearer-0123456789" }, "own-key-0123456789abc"],
] as const) {
  test(`${name} goes before the company's credentials`, async () => {
    await using world = await startWorld();
    world.bedrock.bearers.add(want);
    const headers = { "x-coder-ai-governance-token": TOKEN, ...own };
    const got = await world.gateway.send(ROUTE, { body: BLOCKING, headers, token: null });
    assert.equal(got.status, 200);
    const [call] = world.bedrock.calls;
    assert.equal(call?.headers.authorization, `Bearer ${want}`);
    assert.equal(call?.headers["x-api-key"], undefined);
    assert.equal(world.gateway.recorded.starts[0]?.credentialKind, "byok");
  });
} // prettier-ignore

test("without an own credential, the company's signature serves in that mode too", async () => {
  await using world = await startWorld();
  const headers = { "x-coder-ai-governance-token": TOKEN };
  const got = await world.gateway.send(ROUTE, { body: BLOCKING, headers, token: null });
  assert.equal(got.status, 200);
  assert.equal(world.bedrock.calls[0]?.signature?.problem, null);
});

for (const [name, access, cause] of [
  ["no model", { model: null }, "model required"],
  ["an empty small model", { smallFastModel: "" }, "small fast model required"],
  ["half a key", { accessKeySecret: null }, "both access key and access key secret must be provided together"],
] as const) {
  test(`${name} is a 500 that says so, recorded, without a call upstream`, async () => {
    await using world = await startWorld({ access });
    for (const body of [BLOCKING, STREAMING]) {
      const got = await world.gateway.send(ROUTE, { body });
      assert.equal(got.status, 500);
      assert.equal(errorOf(got.body).message, `create anthropic client: ${cause}`);
    }
    assert.deepEqual(world.bedrock.calls, []);
    const [end] = await world.gateway.ended(2);
    assert.deepEqual(end?.error, { type: "server_error", message: `create anthropic client: ${cause}` });
  });
} // prettier-ignore

test("a base URL is enough: without a region in it, the signature is for the default one", async () => {
  await using world = await startWorld({ access: { region: null } });
  await world.gateway.send(ROUTE, { body: BLOCKING });
  assert.equal(world.bedrock.calls[0]?.signature?.region, "us-east-1");
});

for (const [status, name, type, category] of [
  [400, "ValidationException", "invalid_request_error", "bad_request"],
  [403, "AccessDeniedException", "permission_error", "unauthorized"],
  [404, "ResourceNotFoundException", "not_found_error", "bad_request"],
  [429, "ThrottlingException", "rate_limit_error", "rate_limited"],
  [503, "ServiceUnavailableException", "overloaded_error", "server_error"],
] as const) {
  test(`a refusal with ${name} is a ${type} of status ${status}`, async () => {
    await using world = await startWorld({
      reply: () => ({ kind: "refusal", status, name, message: "not now" }),
    });
    const got = await world.gateway.send(ROUTE, { body: STREAMING });
    assert.equal(got.status, status);
    assert.deepEqual(errorOf(got.body), { type, message: "not now" });
    assert.equal(got.headers["content-type"], "application/json");
    assert.equal(got.headers["x-amzn-requestid"], "4f1c1ab0-0001-4000-8000-000000000000");
    const [end] = await world.gateway.ended(1);
    assert.deepEqual(end?.error, { type: category, message: "not now" });
  });
}

test("an exception before the first event is an HTTP error", async () => {
  const exception = { name: "throttlingException", message: "slow down" };
  await using world = await startWorld({
    reply: () => ({ kind: "events", events: [], exception }),
  });
  const got = await world.gateway.send(ROUTE, { body: STREAMING });
  assert.equal(got.status, 429);
  assert.deepEqual(errorOf(got.body), { type: "rate_limit_error", message: "slow down" });
});

test("an exception behind events is the stream's error event, and recorded", async () => {
  const exception = { name: "modelStreamErrorException", message: "it broke" };
  await using world = await startWorld({
    reply: () => ({ kind: "events", events: EVENTS.slice(0, 1), exception }),
  });
  const got = await world.gateway.send(ROUTE, { body: STREAMING });
  assert.equal(got.status, 200);
  assert.equal(got.isComplete, true);
  const error = `event: error\ndata: {"type":"error","error":{"type":"api_error","message":"it broke"}}\n\n`;
  assert.equal(got.body.toString(), `${SSE.slice(0, SSE.indexOf("\n\n") + 2)}${error}`);
  const [end] = await world.gateway.ended(1);
  assert.deepEqual(end?.error, { type: "server_error", message: "it broke" });
});

test("a stream without its last event, or with changed bytes, ends with an error event", async () => {
  const broken: BedrockReply[] = [
    { kind: "events", events: EVENTS.slice(0, 2) },
    { kind: "bytes", type: "application/vnd.amazon.eventstream", bytes: Buffer.alloc(40, 7) },
  ];
  await using world = await startWorld({ reply: (call) => broken.shift() ?? ordinary(call) });
  const cut = await world.gateway.send(ROUTE, { body: STREAMING });
  assert.equal(cut.status, 200);
  assert.match(cut.body.toString(), /event: error\ndata: .*lost before the answer was complete/);
  const garbled = await world.gateway.send(ROUTE, { body: STREAMING });
  assert.equal(garbled.status, 502);
  const ends = await world.gateway.ended(2);
  for (const end of ends) assert.match(end.error?.message ?? "", /^the answer broke off/);
});

test("a role is assumed once for concurrent calls, with the external id, and its token is sent", async () => {
  const role = { roleArn: "arn:aws:iam::123456789012:role/r", externalId: "ext-1" };
  await using world = await startWorld({ access: { ...role, stsEndpoint: "here" } });
  const sends = [1, 2, 3].map(() => world.gateway.send(ROUTE, { body: BLOCKING }));
  for (const got of await Promise.all(sends)) assert.equal(got.status, 200);
  assert.deepEqual(world.bedrock.roles, [
    { roleArn: role.roleArn, externalId: "ext-1", by: ACCESS_KEY },
  ]);
  for (const call of world.bedrock.calls) {
    assert.equal(call.signature?.accessKey, "ASIAROLE1");
    assert.equal(call.headers["x-amz-security-token"], "role-token-1");
  }
  assert.equal(world.gateway.recorded.starts[0]?.credentialHint, "<aws chain>");
});

test("credentials that AWS calls expired are replaced, within the same call", async () => {
  const role = { roleArn: "arn:aws:iam::123456789012:role/r", externalId: "ext-1" };
  await using world = await startWorld({ access: { ...role, stsEndpoint: "here" } });
  await world.gateway.send(ROUTE, { body: BLOCKING });
  world.bedrock.expired.add("ASIAROLE1");
  const got = await world.gateway.send(ROUTE, { body: STREAMING });
  assert.equal(got.status, 200);
  assert.equal(got.body.toString(), SSE);
  const used = world.bedrock.calls.map(({ signature }) => signature?.accessKey);
  assert.deepEqual(used, ["ASIAROLE1", "ASIAROLE1", "ASIAROLE2"]);
});

test("credentials that stay expired are the client's 403, after one try", async () => {
  const role = { roleArn: "arn:aws:iam::123456789012:role/r", externalId: "ext-1" };
  await using world = await startWorld({ access: { ...role, stsEndpoint: "here" } });
  for (const id of ["ASIAROLE1", "ASIAROLE2"]) world.bedrock.expired.add(id);
  const got = await world.gateway.send(ROUTE, { body: BLOCKING });
  assert.equal(got.status, 403);
  assert.equal(errorOf(got.body).type, "authentication_error");
  assert.equal(world.bedrock.calls.length, 2);
});

test("a role that may not be assumed is a 500 without a call to Bedrock", async () => {
  const accessKey = new Secret("AKIAUNKNOWN000000000");
  const role = { roleArn: "arn:aws:iam::123456789012:role/r", externalId: "ext-1", accessKey };
  await using world = await startWorld({ access: { ...role, stsEndpoint: "here" } });
  const got = await world.gateway.send(ROUTE, { body: BLOCKING });
  assert.equal(got.status, 500);
  assert.equal(errorOf(got.body).message, "create anthropic client: no AWS credentials found");
  assert.deepEqual(world.bedrock.calls, []);
});

test("other routes pass through with the signature, and with their query", async () => {
  await using world = await startWorld();
  const options = { method: "GET", headers: { accept: "text/plain" } };
  const got = await world.gateway.send("/bedrock/v1/models?limit=2&after=a%20b", options);
  assert.equal(got.status, 200);
  const [call] = world.bedrock.calls;
  assert.deepEqual(
    [call?.method, call?.path, call?.signature?.problem, call?.headers.accept],
    ["GET", "/v1/models?limit=2&after=a%20b", null, "text/plain"],
  );
  const openai = await world.gateway.send("/bedrock/v1/chat/completions", { body: BLOCKING });
  assert.equal(openai.status, 404);
});

for (const [type, want] of [
  ["bedrock", { type: "api_error", message: "circuit breaker is open", code: "service_unavailable" }],
  ["anthropic", { type: "overloaded_error", message: "circuit breaker is open" }],
] as const) {
  test(`an open circuit breaker has the words of type ${type}`, async () => {
    await using world = await startWorld({
      overrides: { type },
      config: { circuitBreaker: { failureThreshold: 1, intervalMs: 10_000, openMs: 30_000, probesMax: 1 } },
      reply: () => ({ kind: "refusal", status: 429, name: "ThrottlingException", message: "no" }),
    });
    assert.equal((await world.gateway.send(ROUTE, { body: BLOCKING })).status, 429);
    await world.gateway.ended(1);
    const got = await world.gateway.send(ROUTE, { body: BLOCKING });
    assert.equal(got.status, 503);
    assert.deepEqual(errorOf(got.body), want);
    assert.equal(world.bedrock.calls.length, 1);
  });
} // prettier-ignore
