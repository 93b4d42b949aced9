/**
 * What careless and hostile clients and providers send, against a really started server. Every answer
 * has a fitting status in the shape that its client parses, tells nothing of what is inside, and the
 * server serves the next request.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import { after, afterEach, before, test } from "node:test";
import {
  halfUtf8,
  hang,
  html,
  json,
  raw,
  reset,
  says,
  type ScriptedReply,
  sse,
} from "@atelier/testkit/scripted-model-reply";
import { CENTRAL_KEY, startGatewayWorld, type GatewayWorld } from "./gateway-world.ts";

const GATEWAY = "/api/v2/ai-gateway";
const CHAT = `${GATEWAY}/openai/v1/chat/completions`;
const RESPONSES = `${GATEWAY}/openai/v1/responses`;
const MESSAGES = `${GATEWAY}/anthropic/v1/messages`;
const MODELS = `${GATEWAY}/openai/v1/models`;
const CHAT_BODY = bodyFor("m");
const SERVED_MS_MAX = 10_000;
const SILENCE_MS_MAX = 10_000;

let world: GatewayWorld;
/** Everything that any client was told. */
const answers: string[] = [];

before(async () => {
  world = await startGatewayWorld([
    ...["--ai-gateway-header-timeout", "1s"],
    ...["--ai-gateway-stream-header-timeout", "1s"],
    ...["--ai-gateway-idle-timeout", "1s"],
  ]);
});
after(() => world[Symbol.asyncDispose]());
afterEach(async () => {
  const served = await ask(CHAT, { body: CHAT_BODY });
  assert.equal(served.status, 200, served.text);
});

type Asking = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Null: none. Absent: a good one. */
  readonly token?: string | null;
};

type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
};

/** One request with the path as it stands. */
async function ask(path: string, asking: Asking = {}): Promise<Answer> {
  const { method = "POST", headers = {}, body, token = world.person.token } = asking;
  const outgoing = request(world.server.url, {
    path,
    method,
    agent: false,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
  });
  outgoing.end(body);
  const [incoming] = await once(outgoing, "response");
  let text = "";
  for await (const piece of incoming.setEncoding("utf8")) text += piece;
  answers.push(JSON.stringify(incoming.rawHeaders), text);
  return { status: incoming.statusCode, headers: incoming.headers, text };
}

/** Bytes on a socket, and what comes back until the server closes it. */
async function speak(bytes: string | Buffer): Promise<string> {
  const socket = connect(world.server.port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  socket.setTimeout(SILENCE_MS_MAX, () => {
    text += "<the server does not close the connection>";
    socket.destroy();
  });
  // Who is refused in the middle of a request may be reset behind the answer.
  socket.on("error", () => {});
  socket.write(bytes);
  await new Promise((resolve) => socket.on("close", resolve));
  answers.push(text);
  return text;
}

function bodyFor(model: string, more: object = {}): string {
  return JSON.stringify({ model, messages: [{ role: "user", content: "hi" }], ...more });
}

/** The record of the only request for this model. */
async function recordOf(model: string) {
  for (const deadlineMs = performance.now() + 20_000; ;) {
    const { body } = await world.server.api("GET", `${GATEWAY}/interceptions?q=model:${model}`, {
      token: world.person.session,
    });
    if (body.count > 0) return body.results[0];
    assert.ok(performance.now() < deadlineMs, `${model} is recorded within 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function head(line: string, ...headers: string[]): string {
  const own = ["Host: x", `Authorization: Bearer ${world.person.token}`, "Connection: close"];
  return [`${line} HTTP/1.1`, ...own, ...headers, "", ""].join("\r\n");
}

/** The error in the shape of the route's provider. */
function errorOf(path: string, text: string): { message: string; type: string } {
  const body = JSON.parse(text);
  if (path.includes("/anthropic/")) assert.equal(body.type, "error");
  else assert.deepEqual(Object.keys(body.error), ["message", "type", "param", "code"]);
  return body.error;
}

const REFUSED: [name: string, path: string, asking: Asking, status: number, type: string, message: RegExp][] = [
  ["a body that is not JSON", CHAT, { body: "model=m" }, 400, "invalid_request_error", /not valid JSON/],
  ["half a body", MESSAGES, { body: '{"model": "m", "mess' }, 400, "invalid_request_error", /not valid JSON/],
  ["a body that is a list", RESPONSES, { body: "[1]" }, 400, "invalid_request_error", /not a JSON object/],
  ["a body that is nested without end", CHAT, { body: "[".repeat(1_000_000) }, 400, "invalid_request_error", /not valid JSON/],
  ["an empty body", CHAT, {}, 400, "invalid_request_error", /body is empty/],
  ["an empty body to Anthropic", MESSAGES, { body: "" }, 400, "invalid_request_error", /body is empty/],
  ["33 MiB", CHAT, { body: Buffer.alloc(33 * 1_048_576, " ") }, 413, "invalid_request_error", /32MiB/],
  ["33 MiB to Anthropic", MESSAGES, { body: Buffer.alloc(33 * 1_048_576, " ") }, 413, "request_too_large", /32MiB/],
  ["33 MiB in chunks", RESPONSES, { body: Buffer.alloc(33 * 1_048_576, " "), headers: { "transfer-encoding": "chunked" } }, 413, "invalid_request_error", /32MiB/],
  ["a wrong method", CHAT, { method: "GET" }, 405, "invalid_request_error", /POST only/],
  ["a preflight", MESSAGES, { method: "OPTIONS" }, 405, "invalid_request_error", /POST only/],
  ["an unknown provider", `${GATEWAY}/nobody/v1/chat/completions`, { body: CHAT_BODY }, 404, "not_found_error", /route not supported/],
  ["an unknown content encoding", CHAT, { body: "x", headers: { "content-encoding": "rot13" } }, 415, "invalid_request_error", /encoding/],
  ["no token", CHAT, { token: null, body: CHAT_BODY }, 400, "invalid_request_error", /no authentication key/],
  ["somebody else's kind of token", CHAT, { token: "sk-proj-0123456789", body: CHAT_BODY }, 403, "permission_error", /^unauthorized$/],
  ["a token of SQL", MESSAGES, { token: null, headers: { "x-api-key": "' or '1'='1" }, body: CHAT_BODY }, 403, "permission_error", /^unauthorized$/],
  ["a token of 50 KB", CHAT, { token: "a".repeat(50_000), body: CHAT_BODY }, 403, "permission_error", /^unauthorized$/],
  ["a token that looks right", CHAT, { token: `${"a".repeat(10)}-${"b".repeat(22)}`, body: CHAT_BODY }, 403, "permission_error", /^unauthorized$/],
]; // prettier-ignore

for (const [name, path, asking, status, type, message] of REFUSED) {
  test(`${name}: ${status}, and the provider hears nothing`, async () => {
    const before = world.model.requests.length;
    const answer = await ask(path, asking);
    assert.equal(answer.status, status, answer.text);
    const error = errorOf(path, answer.text);
    assert.equal(error.type, type);
    assert.match(error.message, message);
    assert.equal(world.model.requests.length, before);
  });
}

test("a token is refused once it has expired, also by a server that knew it", async () => {
  const { session } = world.person;
  const made = await world.server.api("POST", "/api/v2/users/me/keys/tokens", {
    token: session,
    body: { token_name: "short", lifetime: 1_000_000_000 },
  });
  assert.equal(made.status, 201);
  const asking = { token: made.body.key, body: CHAT_BODY };
  assert.equal((await ask(CHAT, asking)).status, 200);
  await until(async () => (await ask(CHAT, asking)).status === 403);
  const refused = await ask(CHAT, asking);
  assert.equal(errorOf(CHAT, refused.text).message, "unauthorized");
  const api = await world.server.api("GET", "/api/v2/users/me", { token: made.body.key });
  assert.deepEqual([api.status, api.body.code], [401, "request.unauthenticated"]);
});

test("a suspended user's token is refused", async () => {
  const { server } = world;
  const { session } = world.person;
  const bob = { email: "bob@example.com", username: "bob", password: "another-horse-battery-9" };
  assert.equal(
    (await server.api("POST", "/api/v2/users", { token: session, body: bob })).status,
    201,
  );
  const { email, password } = bob;
  const { body } = await server.api("POST", "/api/v2/users/login", { body: { email, password } });
  const asking = { token: body.session_token, body: CHAT_BODY };
  assert.equal((await ask(CHAT, asking)).status, 200);
  const suspended = await server.api("PUT", "/api/v2/users/bob/status/suspend", { token: session });
  assert.equal(suspended.status, 200);
  await until(async () => (await ask(CHAT, asking)).status === 403);
});

test("a model that the provider does not have: its own answer, byte for byte", async () => {
  const own = { error: { message: "The model `nope` does not exist", code: "model_not_found" } };
  world.model.enqueue(json(404, own, { "x-request-id": "req_upstream" }));
  const answer = await ask(CHAT, { body: CHAT_BODY });
  assert.deepEqual([answer.status, answer.text], [404, JSON.stringify(own)]);
  assert.equal(answer.headers["x-request-id"], "req_upstream");
});

const PATHS: [path: string, status: number][] = [
  [`${GATEWAY}/openai/v1/../../../../etc/passwd`, 400],
  [`${GATEWAY}/openai/v1/models/../../admin`, 404],
  [`${GATEWAY}/openai/v1/models/..%2f..%2fadmin`, 400],
  [`${GATEWAY}/openai/v1/models/%2e%2e/%2e%2e/admin`, 400],
  [`${GATEWAY}/openai/v1/models/..\\..\\admin`, 400],
  [`${GATEWAY}/openai/v1/models/%5c..%5cadmin`, 400],
  [`${GATEWAY}/openai/v1/models/%00`, 400],
  [`${GATEWAY}/openai/v1/models/%zz`, 400],
  [`${GATEWAY}/openai/v1/models#/admin`, 404],
  [`${GATEWAY}/../users`, 404],
  [`${GATEWAY}/%2e%2e/users`, 404],
  [`${GATEWAY}//openai/v1/models`, 404],
  [`${GATEWAY}/__proto__/v1/models`, 404],
  ["/../../etc/passwd", 404],
  ["/api/v2/../../etc/passwd", 404],
  ["/api/v2/users/..%2f..%2fetc%2fpasswd", 404],
  ["/api/v2/%zz", 400],
  // The form for proxies, which this is not.
  [`http://elsewhere.example${MODELS}`, 404],
  ["http://127.0.0.1:1/", 404],
  ["*", 404],
];

for (const [path, status] of PATHS) {
  test(`GET ${path} answers ${status} and goes nowhere`, async () => {
    const before = world.model.requests.length;
    const text = await speak(head(`GET ${path}`));
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.equal(world.model.requests.length, before);
  });
}

const METHODS: [method: string, path: string, status: number][] = [
  ["HEAD", "/", 200],
  ["HEAD", "/healthz", 200],
  ["HEAD", "/api/v2/buildinfo", 200],
  ["HEAD", MODELS, 200],
  ["HEAD", `${GATEWAY}/anthropic`, 404],
  ["HEAD", CHAT, 405],
  ["OPTIONS", "/api/v2/users", 405],
  ["TRACE", "/api/v2/users", 404],
  ["TRACE", CHAT, 405],
  // A provider that serves it would send the company's key back to the caller.
  ["TRACE", MODELS, 405],
];

for (const [method, path, status] of METHODS) {
  test(`${method} ${path} answers ${status}`, async () => {
    const text = await speak(head(`${method} ${path}`));
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
    if (method === "HEAD") assert.match(text, /\r\n\r\n$/, "no body");
    else if (status === 405) assert.match(text, /\r\nallow: /i);
  });
}

test("WebSocket is refused on gateway routes with 426, on others with 404", async () => {
  const upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  assert.match(await speak(head(`GET ${RESPONSES}`, ...upgrade)), /^HTTP\/1\.1 426 /);
  assert.match(await speak(head("GET /api/v2/users", ...upgrade)), /^HTTP\/1\.1 404 /);
});

test("headers of 100 KiB answer 431, however they are divided", async () => {
  const flood = Array.from({ length: 10_000 }, (_, i) => `X-${i}: 12345`);
  assert.match(
    await speak(head(`POST ${CHAT}`, `X-Large: ${"a".repeat(102_400)}`)),
    /^HTTP\/1\.1 431 /,
  );
  assert.match(await speak(head(`POST ${CHAT}`, ...flood)), /^HTTP\/1\.1 431 /);
});

const AMBIGUOUS: [name: string, headers: string[]][] = [
  ["both lengths", [`Content-Length: ${CHAT_BODY.length}`, "Transfer-Encoding: chunked"]],
  ["both lengths, the other way round", ["Transfer-Encoding: chunked", "Content-Length: 4"]],
  ["two lengths", [`Content-Length: ${CHAT_BODY.length}`, "Content-Length: 4"]],
  ["a length twice", ["Content-Length: 57", "Content-Length: 57"]],
  ["a list of lengths", ["Content-Length: 57, 57"]],
  ["a length with a sign", ["Content-Length: +57"]],
  ["a negative length", ["Content-Length: -1"]],
  ["chunked in disguise", ["Transfer-Encoding: xchunked"]],
  ["chunked, but not last", ["Transfer-Encoding: chunked, identity"]],
  ["a space before the colon", ["Content-Length : 57"]],
  ["a folded header", ["X-A: b", " Content-Length: 57"]],
  ["NUL in a header", ["X-A: b\0c"]],
];

for (const [name, headers] of AMBIGUOUS) {
  test(`a request with ${name} is refused, and nothing behind it is read`, async () => {
    const before = world.model.requests.length;
    const smuggled = head(`GET ${MODELS}`);
    const text = await speak(`${head(`POST ${CHAT}`, ...headers)}${CHAT_BODY}${smuggled}`);
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
    assert.equal(world.model.requests.length, before);
  });
}

test("what is no HTTP at all is refused", async () => {
  const tls = Buffer.from("16030100c8010000c40303", "hex");
  for (const bytes of [tls, "\0\0\0\0garbage\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) {
    assert.match(await speak(bytes), /^HTTP\/1\.1 400 /);
  }
  await speak("CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example:443\r\n\r\n");
});

test("clients that trickle headers and bodies do not hold up the others", async () => {
  const open = async (text: string): Promise<Socket> => {
    const socket = connect(world.server.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(text);
    return socket;
  };
  const chat = head(`POST ${CHAT}`, `Content-Length: ${CHAT_BODY.length}`);
  const slow = await Promise.all([
    ...Array.from({ length: 100 }, () => open(chat.slice(0, 60))),
    ...Array.from({ length: 50 }, () => open(chat + CHAT_BODY.slice(0, 10))),
  ]);
  for (let i = 0; i < 5; i += 1) {
    const startedMs = performance.now();
    assert.equal((await ask(CHAT, { body: CHAT_BODY })).status, 200);
    assert.equal((await world.server.api("GET", "/api/v2/buildinfo")).status, 200);
    assert.ok(performance.now() - startedMs < SERVED_MS_MAX);
  }
  // The last of them was only slow, and is served after all.
  const late = slow.at(-1)!;
  let text = "";
  late.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  late.write(CHAT_BODY.slice(10));
  await once(late, "close");
  assert.match(text, /^HTTP\/1\.1 200 /);
  for (const socket of slow) socket.destroy();
});

const TRUNCATED = raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
const BAD_ANSWERS: [name: string, reply: ScriptedReply, status: number, text: RegExp][] = [
  ["never answers", hang(), 504, /^{"error":{"message":"the model provider did not answer in time"/],
  ["resets the connection", reset(), 502, /^{"error":{"message":"could not reach the model provider"/],
  ["answers no HTTP", raw("garbage\r\n\r\n"), 502, /could not reach the model provider/],
  ["answers 200 KB of headers", raw(`HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(200_000)}\r\n\r\n`), 502, /could not reach/],
  ["switches protocols", raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), 502, /could not reach/],
  ["answers HTML", html(200), 200, /^<html>/],
  ["fails in HTML", html(502), 502, /^<html>/],
  ["answers half a JSON text", says("hello", { cutAfterBytes: 50, cutsCleanly: true }), 200, /^{"id":/],
]; // prettier-ignore

for (const [name, reply, status, text] of BAD_ANSWERS) {
  test(`a provider that ${name}: ${status}, recorded as failed`, async () => {
    // One reset on a used connection is not told: see the next test.
    const times = name === "resets the connection" ? 2 : 1;
    for (let i = 0; i < times; i += 1) world.model.enqueue(reply);
    const askedBefore = world.model.requests.length;
    const model = name.replaceAll(" ", "-");
    const answer = await ask(CHAT, { body: bodyFor(model) });
    assert.equal(world.model.requests.length - askedBefore, times);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, text);
    const record = await recordOf(model);
    assert.notEqual(record.error_type, null);
    answers.push(JSON.stringify(record));
  });
}

/**
 * The request after each test leaves a connection behind, which the next one is sent on. Where it is reset
 * at once, the provider may have been closing it as our request left, which says nothing about the request.
 * A model call may be asked twice, so it goes once more, on a fresh connection, whose reset counts.
 */
test("a provider that resets a used connection at once is asked once more, and nobody notices", async () => {
  world.model.enqueue(reset());
  const askedBefore = world.model.requests.length;
  const answer = await ask(CHAT, { body: bodyFor("reset-once") });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(world.model.requests.length - askedBefore, 2);
  assert.equal((await recordOf("reset-once")).error_type, null);
});

test("an answer that is shorter than it says takes the client's connection with it", async () => {
  world.model.enqueue(TRUNCATED);
  await assert.rejects(ask(CHAT, { body: CHAT_BODY }), { code: "ECONNRESET" });
});

const CUT_STREAMS: [name: string, path: string, reply: ScriptedReply, ending: RegExp][] = [
  ["inside a character", CHAT, halfUtf8(), /"error":{"message":"the connection to the model provider was lost[^]*\n\ndata: \[DONE\]\n\n$/],
  ["before the last event of chat completions", CHAT, says("hello there", { cutAfterBytes: 400, cutsCleanly: true }), /"error":{"message":"the connection[^]*data: \[DONE\]\n\n$/],
  ["before the last event of responses", RESPONSES, says("hello there", { cutAfterBytes: 400, cutsCleanly: true }), /"type":"error"[^]*event: response\.failed\ndata: {.*}\n\n$/],
  ["before the last event of messages", MESSAGES, says("hello there", { cutAfterBytes: 400 }), /event: error\ndata: {"type":"error"[^]*\n\n$/],
  ["by silence", MESSAGES, sse([{ name: "ping", data: { type: "ping" } }], { thenHang: true }), /event: error\ndata: {"type":"error"[^]*\n\n$/],
]; // prettier-ignore

for (const [name, path, reply, ending] of CUT_STREAMS) {
  test(`a stream that is cut ${name} ends with its format's error event`, async () => {
    world.model.enqueue(reply);
    const model = name.replaceAll(" ", "-");
    const answer = await ask(path, { body: bodyFor(model, { stream: true }) });
    assert.equal(answer.status, 200);
    assert.match(answer.text, ending);
    assert.notEqual((await recordOf(model)).error_type, null);
  });
}

test("the API refuses what is malformed, too large or too much", async () => {
  const { session } = world.person;
  const refusals = [
    await world.server.api("POST", "/api/v2/users", { token: session, body: "{oops" }),
    await world.server.api("POST", "/api/v2/users", { token: session, body: "[]" }),
    await world.server.api("POST", "/api/v2/users", {
      token: session,
      body: " ".repeat(2_000_000),
    }),
    await world.server.api("PATCH", "/api/v2/users", { token: session, body: {} }),
    await world.server.api("GET", "/api/v2/users?limit=-1", { token: session }),
    await world.server.api("GET", `/api/v2/users/${"a".repeat(10_000)}`, { token: session }),
    await world.server.api("GET", "/api/v2/users/me", { token: "a-b" }),
    await world.server.api("GET", `${GATEWAY}/sessions?q=model:"x`, { token: session }),
    // Postgres stores none of these.
    await world.server.api("GET", "/api/v2/users/a%00", { token: session }),
    await world.server.api("GET", `${GATEWAY}/sessions?q=model:%00`, { token: session }),
    await world.server.api("POST", "/api/v2/users/login", { body: { email: "\0", password: "x" } }),
    await world.server.api("PUT", "/api/v2/users/me/profile", {
      token: session,
      body: { name: "\ud800" },
    }),
  ];
  for (const { headers, body } of refusals) {
    assert.equal(body.request_id, headers.get("x-request-id"));
    answers.push(JSON.stringify(body));
  }
  assert.deepEqual(
    refusals.map(({ status, body }) => `${status} ${body.code}`),
    [
      "400 request.invalid",
      "400 request.invalid",
      "413 request.too_large",
      "405 request.method_not_allowed",
      "400 request.invalid",
      "400 request.invalid",
      "401 request.unauthenticated",
      "400 request.invalid",
      "400 request.invalid",
      "400 request.invalid",
      "400 request.invalid",
      "400 request.invalid",
    ],
  );
});

test("no answer told of code, files, SQL or keys", () => {
  assert.ok(answers.length > 100);
  const inside = [
    / at .+\(.+:\d+:\d+\)|node:internal|node_modules|\.ts\b/,
    new RegExp(`/(?:tmp|home|root|usr|proc)/|${process.cwd()}`),
    /\b(?:select|insert into|update|delete from) .*\b(?:from|values|set|where)\b/i,
    /SQLSTATE|postgres/i,
  ];
  for (const answer of answers) {
    for (const pattern of inside) assert.doesNotMatch(answer, pattern);
    for (const secret of [CENTRAL_KEY, world.person.token, world.person.session]) {
      assert.ok(!answer.includes(secret));
    }
  }
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineMs, "within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
