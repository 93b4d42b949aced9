import assert from "node:assert/strict";
import { type IncomingMessage } from "node:http";
import { test } from "node:test";
import {
  CALLER,
  TOKEN,
  answerJson,
  rethrow,
  startTestGateway,
  type TestGatewayOptions,
} from "./gateway-testkit.ts";
import { CHAT, CHAT_BODY, CHAT_ANSWER } from "./gateway-traffic-testkit.ts";

test("one's own key goes up instead of the company's, and is recorded masked", async () => {
  const seen: IncomingMessage["headers"][] = [];
  await using gateway = await startTestGateway({
    upstream: (req, res) => {
      seen.push(req.headers);
      answerJson(res, 200, CHAT_ANSWER);
    },
  });
  const own = {
    "x-coder-ai-governance-token": TOKEN,
    authorization: "Bearer sk-own-0123456789abcdef",
  };
  await gateway.send(CHAT, { body: CHAT_BODY, token: null, headers: own });
  assert.equal(seen[0]!.authorization, "Bearer sk-own-0123456789abcdef");
  assert.equal(seen[0]!["x-coder-ai-governance-token"], undefined);
  assert.deepEqual(
    gateway.recorded.starts.map((s) => [s.credentialKind, s.credentialHint]),
    [["byok", "sk-o...cdef"]],
  );
});

test("one's own key is refused where the operator forbids it", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) => answerJson(res, 200, CHAT_ANSWER),
    config: { allowByok: false },
  });
  const got = await gateway.send(CHAT, {
    body: CHAT_BODY,
    headers: { "x-coder-ai-governance-token": TOKEN },
  });
  assert.equal(got.status, 403);
  assert.match(got.body.toString(), /BYOK/);
});

test("providers learn who calls where the operator wants that, and never what a client claims", async () => {
  const seen: IncomingMessage["headers"][] = [];
  await using gateway = await startTestGateway({
    upstream: (req, res) => {
      seen.push(req.headers);
      answerJson(res, 200, CHAT_ANSWER);
    },
    config: { sendActorHeaders: true },
  });
  await gateway.send(CHAT, { body: CHAT_BODY, headers: { "x-ai-bridge-actor-id": "somebody" } });
  assert.equal(seen[0]!["x-ai-bridge-actor-id"], CALLER.userId);
  assert.equal(seen[0]!["x-ai-bridge-actor-metadata-username"], "ann");
});

test("a token that cannot be checked is never called wrong", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) => answerJson(res, 200, CHAT_ANSWER),
    authorize: () => Promise.resolve({ kind: "unavailable" }),
  });
  const got = await gateway.send(CHAT, { body: CHAT_BODY });
  assert.equal(got.status, 503);
});

/** An upstream that holds its answers until it is told to release them. */
function holdAnswers() {
  const released = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  return {
    /** Resolves when the first request has arrived. */
    reached: reached.promise,
    release: () => released.resolve(),
    options: (config: TestGatewayOptions["config"] = {}): TestGatewayOptions => ({
      config,
      upstream: (_req, res) => {
        reached.resolve();
        released.promise.then(() => answerJson(res, 200, CHAT_ANSWER), rethrow);
      },
    }),
  };
}

test("one person's requests at once are limited with 429", async () => {
  const held = holdAnswers();
  await using busy = await startTestGateway(held.options({ maxConcurrencyPerUser: 1 }));
  const first = busy.send(CHAT, { body: CHAT_BODY });
  await held.reached;
  const second = await busy.send(CHAT, { body: CHAT_BODY });
  assert.deepEqual([second.status, second.headers["retry-after"]], [429, "1"]);
  held.release();
  assert.equal((await first).status, 200);
  assert.equal((await busy.send(CHAT, { body: CHAT_BODY })).status, 200);
});

test("limits answer 429 for a key and 503 for the whole", async () => {
  await using limited = await startTestGateway({
    upstream: (_req, res) => answerJson(res, 200, CHAT_ANSWER),
    config: { rateLimit: 1 },
  });
  await limited.send(CHAT, { body: CHAT_BODY });
  const second = await limited.send(CHAT, { body: CHAT_BODY });
  assert.deepEqual([second.status, second.headers["retry-after"]], [429, "1"]);

  const held = holdAnswers();
  await using busy = await startTestGateway(held.options({ maxConcurrency: 1 }));
  const first = busy.send(CHAT, { body: CHAT_BODY });
  await held.reached;
  assert.equal((await busy.send(CHAT, { body: CHAT_BODY })).status, 503);
  held.release();
  assert.equal((await first).status, 200);
});

test("passing through keeps path, query, status and body, and records nothing", async () => {
  let seen: IncomingMessage | undefined;
  await using gateway = await startTestGateway({
    upstream: (req, res) => {
      seen = req;
      answerJson(res, 200, { data: [] });
    },
  });
  const got = await gateway.send("/anthropic/v1/models?limit=2&x=%2F", {
    method: "GET",
    headers: { "x-forwarded-for": "2.2.2.2", "user-agent": "me" },
  });
  assert.deepEqual([got.status, got.body.toString()], [200, `{"data":[]}`]);
  assert.equal(seen?.url, "/v1/models?limit=2&x=%2F");
  assert.equal(seen.headers["x-api-key"], "sk-central");
  assert.equal(seen.headers["x-forwarded-for"], "2.2.2.2, 127.0.0.1");
  assert.equal(seen.headers["user-agent"], "me");
  assert.equal(gateway.recorded.starts.length, 0);
});

for (const { path, want } of [
  { path: "/openai/v1/models", want: "Basic b3duOmtleQ==" },
  { path: "/anthropic/v1/models", want: "Basic b3duOmtleQ==" },
  { path: CHAT, want: "Bearer sk-central" },
]) {
  test(`${path}: with an own credential that is no bearer, ${want.split(" ")[0]} goes up, once`, async () => {
    const seen: IncomingMessage["headers"][] = [];
    await using gateway = await startTestGateway({
      upstream: (req, res) => {
        seen.push(req.headers);
        answerJson(res, 400, { error: { message: `no ${req.headers.authorization}` } });
      },
    });
    const headers = {
      "x-coder-ai-governance-token": TOKEN,
      authorization: "Basic b3duOmtleQ==",
    };
    const got = await gateway.send(path, { body: CHAT_BODY, token: null, headers });
    assert.deepEqual(
      seen.map((each) => [each.authorization, each["x-api-key"]]),
      [[want, undefined]],
    );
    assert.ok(!got.body.toString().includes("b3duOmtleQ=="), got.body.toString());
  });
}
