/** Key failover and circuit breakers through the whole gateway, blocking, streaming and passing through. */
import { Secret } from "@atelier/base/secret";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerJson, provider, rethrow, TOKEN } from "./gateway-testkit.ts";
import {
  CHAT,
  CHAT_BODY,
  MESSAGES,
  MESSAGES_BODY,
  MESSAGE_REST,
  MESSAGE_START,
} from "./gateway-traffic-testkit.ts";
import {
  fine,
  healthOf,
  KINDS,
  OVERLOADED,
  providerIdOf,
  refuses,
  streams,
  worldOf,
  type Reply,
} from "./key-world-testkit.ts";

for (const { kind, path, method, body, play, isRecorded } of KINDS) {
  test(`${kind}: a working first key serves alone`, async () => {
    await using world = await worldOf([fine, fine]);
    assert.equal((await play(world)).status, 200);
    assert.deepEqual(world.calls, ["k1"]);
    if (isRecorded) assert.equal((await world.ended(1))[0]!.credentialHint, "hint-1");
  });

  test(`${kind}: a throttled key is passed over, and rests`, async () => {
    await using world = await worldOf([refuses(429, { "retry-after": "30" }), fine]);
    assert.equal((await play(world)).status, 200);
    assert.equal((await play(world)).status, 200);
    assert.deepEqual(world.calls, ["k1", "k2", "k2"]);
    assert.deepEqual(healthOf(world, path), ["k1 temporary", "k2 valid"]);
    if (isRecorded) assert.equal((await world.ended(1))[0]!.credentialHint, "hint-2");
  });

  for (const status of [401, 403]) {
    test(`${kind}: a key refused with ${status} is out of service for good where that is the policy`, async () => {
      await using world = await worldOf([refuses(status), fine], {
        keyAuthFailurePolicy: "permanent",
      });
      assert.equal((await play(world)).status, 200);
      assert.deepEqual(world.calls, ["k1", "k2"]);
      assert.deepEqual(healthOf(world, path), ["k1 permanent", "k2 valid"]);
      world.gateway.health.resetKey(providerIdOf(path), "k1");
      assert.deepEqual(healthOf(world, path), ["k1 valid", "k2 valid"]);
    });
  }

  test(`${kind}: by default a 401 rests the key and a 403 is the client's`, async () => {
    await using resting = await worldOf([refuses(401), fine]);
    assert.equal((await play(resting)).status, 200);
    assert.deepEqual(healthOf(resting, path), ["k1 temporary", "k2 valid"]);
    await using refusing = await worldOf([refuses(403), fine]);
    const got = await play(refusing);
    assert.deepEqual([got.status, refusing.calls], [403, ["k1"]]);
    assert.match(got.body.toString(), /refused with 403/);
  });

  test(`${kind}: when all keys rest, the client learns when the soonest returns`, async () => {
    const replies = [5, 3, 10].map((seconds) => refuses(429, { "retry-after": String(seconds) }));
    await using world = await worldOf(replies);
    const got = await play(world);
    assert.deepEqual([got.status, got.headers["retry-after"]], [429, "3"]);
    const { error } = JSON.parse(got.body.toString());
    assert.deepEqual(
      [error.type, error.message],
      ["rate_limit_error", "all configured keys are rate-limited"],
    );
    assert.equal((await play(world)).status, 429);
    assert.deepEqual(world.calls, ["k1", "k2", "k3"], "resting keys are not asked");
    if (!isRecorded) return;
    const [end] = await world.ended(1);
    assert.deepEqual([end!.error?.type, end!.credentialHint], ["rate_limited", "hint-3"]);
  });

  test(`${kind}: when all keys are refused, the client gets 502 without a time to wait`, async () => {
    await using world = await worldOf([refuses(401), refuses(401)]);
    const got = await play(world);
    assert.deepEqual([got.status, got.headers["retry-after"]], [502, undefined]);
    const { error } = JSON.parse(got.body.toString());
    assert.deepEqual(
      [error.type, error.message],
      ["api_error", "all configured keys failed authentication"],
    );
    if (isRecorded) assert.equal((await world.ended(1))[0]!.error?.type, "unauthorized");
  });

  test(`${kind}: one's own key makes one call, and its 429 comes with the provider's Retry-After`, async () => {
    await using world = await worldOf([fine, refuses(429, { "retry-after": "9" })]);
    const headers = {
      "x-coder-ai-governance-token": TOKEN,
      ...(path.startsWith("/openai")
        ? { authorization: "Bearer sk-key-2" }
        : { "x-api-key": "sk-key-2" }),
    };
    const own = { token: null, headers, method, ...(method === "POST" ? { body } : {}) };
    const got = await world.send(path, own);
    assert.deepEqual([got.status, got.headers["retry-after"]], [429, "9"]);
    assert.deepEqual([world.calls, healthOf(world, path)], [["k2"], ["k1 valid", "k2 valid"]]);
    if (!isRecorded) return;
    const [end] = await world.ended(1);
    assert.deepEqual([end!.credentialHint, end!.error?.type], ["s...2", "rate_limited"]);
  });

  test(`${kind}: a 500 is the client's, and says nothing of the key`, async () => {
    await using world = await worldOf([refuses(500), fine]);
    assert.equal((await play(world)).status, 500);
    assert.deepEqual([world.calls, healthOf(world, path)], [["k1"], ["k1 valid", "k2 valid"]]);
  });
}

test("a client that names a wrong account gets the 401, and the key stays", async () => {
  await using world = await worldOf([refuses(401), fine]);
  const headers = { "OpenAI-Organization": "org-of-somebody-else" };
  const got = await world.send(CHAT, { body: CHAT_BODY, headers });
  assert.deepEqual([got.status, world.calls], [401, ["k1"]]);
  assert.deepEqual(healthOf(world, CHAT), ["k1 valid", "k2 valid"]);
});

test("a stream that begins with an overload error goes to the next key, and the client never knows", async () => {
  await using world = await worldOf([streams(OVERLOADED), streams(MESSAGE_START + MESSAGE_REST)]);
  const got = await world.send(MESSAGES, { body: MESSAGES_BODY });
  assert.equal(got.body.toString(), MESSAGE_START + MESSAGE_REST);
  assert.deepEqual(
    [world.calls, healthOf(world, MESSAGES)],
    [
      ["k1", "k2"],
      ["k1 valid", "k2 valid"],
    ],
  );
});

test("an overload error from the last key is the client's", async () => {
  await using world = await worldOf([streams(OVERLOADED), streams(OVERLOADED)]);
  const got = await world.send(MESSAGES, { body: MESSAGES_BODY });
  assert.deepEqual([got.status, got.body.toString()], [200, OVERLOADED]);
  assert.equal((await world.ended(1))[0]!.error?.type, "overloaded");
});

test("an overload error after the first event is the client's: nothing is ever sent twice", async () => {
  await using world = await worldOf([streams(MESSAGE_START + OVERLOADED), fine]);
  const got = await world.send(MESSAGES, { body: MESSAGES_BODY });
  assert.deepEqual([got.body.toString(), world.calls], [MESSAGE_START + OVERLOADED, ["k1"]]);
});

test("a request waits for a resting key as long as the operator allows", async () => {
  let calls = 0;
  const once: Reply = (res) =>
    calls++ === 0 ? refuses(429, { "retry-after-ms": "100" })(res) : fine(res);
  await using world = await worldOf([once], { keyWaitMs: 2_000 });
  assert.equal((await world.send(CHAT, { body: CHAT_BODY })).status, 200);
  assert.deepEqual(world.calls, ["k1", "k1"]);
});

test("what is known of a key survives a reload that does not touch it", async () => {
  await using world = await worldOf([refuses(429), fine]);
  assert.deepEqual(healthOf(world, CHAT), ["k1 valid", "k2 valid"], "before anybody called");
  await world.send(CHAT, { body: CHAT_BODY });
  const keys = ["k1", "k3"].map((id) => ({ id, secret: new Secret("sk-key-2"), hint: id }));
  world.setProviders([provider("openai", "openai", "http://127.0.0.1:1/v1", { keys })]);
  await world.send("/openai/v1/nothing", { method: "GET" });
  await world.send("/openai/v1/models", { method: "GET" });
  assert.deepEqual(healthOf(world, CHAT), ["k1 temporary", "k3 valid"]);
});

test("a key that a provider repeats in its refusal is masked where operators see it", async () => {
  await using world = await worldOf([
    (res) =>
      answerJson(res, 401, {
        error: { message: "Incorrect API key provided: sk-key-1.", type: "x" },
      }),
  ]);
  const got = await world.send(CHAT, { body: CHAT_BODY });
  const [health] = world.gateway.health.keysOf("id-openai");
  assert.match(health!.lastError!.message, /Incorrect API key provided/);
  assert.doesNotMatch(health!.lastError!.message + got.body.toString(), /sk-key-1/);
});

const BREAKER = { failureThreshold: 2, intervalMs: 10_000, openMs: 30_000, probesMax: 1 };

for (const { kind, path, method, body } of KINDS.filter((each) => each.method === "POST")) {
  const isMessages = path === MESSAGES;

  test(`${kind}: a provider in trouble is left alone for a while, then asked by one request`, async () => {
    let isWell = false;
    const reply: Reply = (res) => (isWell ? fine(res) : refuses(503)(res));
    const clock = new FakeClock();
    await using world = await worldOf([reply], { circuitBreaker: BREAKER }, { clock });
    const ask = (asked: string = body) => world.send(path, { method, body: asked });
    assert.deepEqual([(await ask()).status, (await ask()).status], [503, 503]);
    await world.ended(2);
    const refused = await ask();
    assert.deepEqual(
      [refused.status, refused.headers["retry-after"], world.calls.length],
      [503, "30", 2],
    );
    const { error } = JSON.parse(refused.body.toString());
    assert.equal(error.message, "circuit breaker is open");
    assert.equal(error.type, isMessages ? "overloaded_error" : "server_error");
    const [open] = world.gateway.health.breakersOf(providerIdOf(path));
    assert.equal(open?.state, "open");
    assert.equal(open?.model, (JSON.parse(body) as { model: string }).model);
    // Another model of the same provider is not touched by it.
    const other = await ask(body.replace(open?.model ?? "", "another"));
    assert.match(other.body.toString(), /refused with 503/);
    await clock.advance(BREAKER.openMs + 10);
    assert.match((await ask()).body.toString(), /refused with 503/, "the probe");
    await world.ended(5);
    assert.match((await ask()).body.toString(), /breaker is open/, "a failed probe opens it again");
    isWell = true;
    await clock.advance(BREAKER.openMs + 10);
    assert.equal((await ask()).status, 200);
    await world.ended(7);
    assert.deepEqual(world.gateway.health.breakersOf("id-openai"), []);
    assert.deepEqual(world.gateway.health.breakersOf("id-anthropic"), []);
    const ends = world.recorded.ends.map((end) => end.error?.type ?? "none");
    assert.deepEqual(ends, [...Array.from({ length: 6 }, () => "server_error"), "none"]);
  });

  test(`${kind}: while one request probes, the others are refused`, async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let calls = 0;
    const reply: Reply = (res) => {
      calls += 1;
      if (calls <= 2) return refuses(503)(res);
      arrived.resolve();
      release.promise.then(() => fine(res), rethrow);
    };
    const clock = new FakeClock();
    await using world = await worldOf([reply], { circuitBreaker: BREAKER }, { clock });
    const ask = () => world.send(path, { method, body });
    await ask();
    await ask();
    await world.ended(2);
    await clock.advance(BREAKER.openMs + 10);
    const probe = ask();
    await arrived.promise;
    assert.deepEqual([(await ask()).status, (await ask()).status, calls], [503, 503, 3]);
    release.resolve();
    assert.equal((await probe).status, 200);
    await world.ended(5);
    assert.equal((await ask()).status, 200);
  });
}

test("passing through, no circuit breaker stands in the way", async () => {
  await using world = await worldOf([refuses(503)], {
    circuitBreaker: { ...BREAKER, failureThreshold: 1 },
  });
  const models = () => world.send("/openai/v1/models", { method: "GET" });
  for (let i = 0; i < 3; i += 1) assert.equal((await models()).status, 503);
  assert.equal(world.calls.length, 3);
});

test("an open circuit breaker answers Anthropic clients in their words", async () => {
  await using world = await worldOf([refuses(529)], {
    circuitBreaker: { ...BREAKER, failureThreshold: 1 },
  });
  await world.send(MESSAGES, { body: MESSAGES_BODY });
  await world.ended(1);
  const got = await world.send(MESSAGES, { body: MESSAGES_BODY });
  assert.deepEqual(JSON.parse(got.body.toString()), {
    type: "error",
    error: { type: "overloaded_error", message: "circuit breaker is open" },
  });
});

test("clients' faults, and a pool without keys, open no circuit breaker", async () => {
  await using world = await worldOf([refuses(400)], {
    circuitBreaker: { ...BREAKER, failureThreshold: 1 },
  });
  for (let i = 0; i < 3; i += 1) await world.send(CHAT, { body: CHAT_BODY });
  assert.equal(world.calls.length, 3);
  await using throttled = await worldOf([refuses(429)], {
    circuitBreaker: { ...BREAKER, failureThreshold: 1 },
  });
  for (let i = 0; i < 3; i += 1)
    assert.equal((await throttled.send(CHAT, { body: CHAT_BODY })).status, 429);
});
