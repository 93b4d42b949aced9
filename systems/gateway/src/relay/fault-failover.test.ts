/**
 * Failover on faults through the whole gateway: what a faulty key costs, what the client gets, and what
 * operators see, for every kind of request.
 */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { request as httpRequest } from "node:http";
import { describe, test } from "node:test";
import type { GatewayConfig } from "../start.ts";
import { TIMEOUTS, TOKEN, startTestGateway } from "./gateway-testkit.ts";
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

/** Fit for the machine that tests: a loaded one is late by far less. */
const BEGIN_MS_MAX = 800;
const FAULTS: Partial<GatewayConfig> = {
  failover: "faults",
  upstreamTimeouts: { ...TIMEOUTS, headerMs: BEGIN_MS_MAX, streamHeaderMs: BEGIN_MS_MAX },
};
const BREAKER = { failureThreshold: 1, intervalMs: 10_000, openMs: 60_000, probesMax: 1 };
const STREAM_HEAD = { "content-type": "text/event-stream" };

const resets: Reply = (res) => res.socket?.resetAndDestroy();
const hangs: Reply = () => {};
/** A head, half an event, and no more. */
const begins =
  (then: (res: ServerResponse) => void, text = ""): Reply =>
  (res) => {
    res.writeHead(200, STREAM_HEAD);
    res.flushHeaders();
    if (text !== "") res.write(text);
    setTimeout(() => then(res), 20);
  };
/** Never a whole event. */
const drips: Reply = (res) => {
  res.writeHead(200, STREAM_HEAD);
  const timer = setInterval(() => res.write("d"), 20);
  res.on("close", () => clearInterval(timer));
};
const jsonWithoutBody: Reply = (res) => {
  res.writeHead(200, { "content-type": "application/json" });
  res.flushHeaders();
};

type Case = {
  readonly fault: string;
  readonly reply: Reply;
  /** After one such fault. */
  readonly state: "valid" | "temporary";
  readonly status: number | null;
};

const CASES: readonly Case[] = [
  { fault: "500", reply: refuses(500), state: "valid", status: 500 },
  { fault: "529", reply: refuses(529), state: "valid", status: 529 },
  { fault: "503 with a time to wait", reply: refuses(503, { "retry-after": "9" }), state: "temporary", status: 503 },
  { fault: "a reset before the head", reply: resets, state: "valid", status: null },
  { fault: "a reset after the head", reply: begins((res) => res.socket?.resetAndDestroy()), state: "valid", status: null },
  { fault: "a reset in the first event", reply: begins((res) => res.socket?.resetAndDestroy(), "event: mess"), state: "valid", status: null },
  { fault: "a stream without an event", reply: streams(""), state: "valid", status: null },
]; // prettier-ignore

/** Each ends by a time-out. */
const SILENT_CASES: readonly Case[] = [
  { fault: "a hang before the head", reply: hangs, state: "temporary", status: null },
  { fault: "a hang after a stream's head", reply: begins(() => {}), state: "temporary", status: null },
  { fault: "a hang after a JSON answer's head", reply: jsonWithoutBody, state: "temporary", status: null },
  { fault: "a first event that drips without end", reply: drips, state: "temporary", status: null },
]; // prettier-ignore

function testCase(
  { kind, path, play, isRecorded }: (typeof KINDS)[number],
  { fault, reply, state, status }: Case,
): void {
  test(`${kind}: ${fault} leads to the next key, and is known of the first`, async () => {
    await using world = await worldOf([reply, fine], FAULTS);
    const got = await play(world);
    assert.deepEqual([got.status, world.calls], [200, ["k1", "k2"]], got.body.toString());
    assert.deepEqual(healthOf(world, path), [`k1 ${state}`, "k2 valid"]);
    const [first] = world.gateway.health.keysOf(providerIdOf(path));
    assert.equal(first!.lastError!.status, status);
    if (!isRecorded) return;
    const [end] = await world.ended(1);
    assert.deepEqual([end!.credentialHint, end!.error], ["hint-2", null]);
  });
}

// They wait side by side, as many as a loaded machine can begin within one time-out.
describe("silence", { concurrency: 4 }, () => {
  for (const each of KINDS) for (const silent of SILENT_CASES) testCase(each, silent);
});

for (const each of KINDS) {
  const { kind, path, play, isRecorded } = each;
  for (const fault of CASES) testCase(each, fault);

  test(`${kind}: a 403 leads to the next key, and nothing is held against the first`, async () => {
    await using world = await worldOf([refuses(403), fine], FAULTS);
    for (let i = 0; i < 3; i += 1) assert.equal((await play(world)).status, 200);
    assert.equal(world.calls.join(" "), "k1 k2 k1 k2 k1 k2");
    assert.deepEqual(healthOf(world, path), ["k1 valid", "k2 valid"]);
  });

  test(`${kind}: a dead key costs few requests an attempt`, async () => {
    await using world = await worldOf([refuses(500), fine], FAULTS);
    for (let i = 0; i < 9; i += 1) assert.equal((await play(world)).status, 200);
    assert.equal(world.calls.join(" "), "k1 k2 k1 k2 k2 k2 k2 k2 k2 k2 k2");
    assert.deepEqual(healthOf(world, path), ["k1 temporary", "k2 valid"]);
  });

  test(`${kind}: where every key fails, the last answer of the provider is the client's`, async () => {
    await using world = await worldOf([refuses(500), refuses(502), resets], FAULTS);
    const got = await play(world);
    // A connection that was used before and is reset at once may have been closing: it is sent once more.
    assert.deepEqual([got.status, world.calls], [502, ["k1", "k2", "k3", "k3"]]);
    assert.match(got.body.toString(), /refused with 502/);
    if (!isRecorded) return;
    const [end] = await world.ended(1);
    assert.deepEqual([end!.credentialHint, end!.error?.type], ["hint-2", "server_error"]);
  });

  test(`${kind}: where every key refuses, the client learns why`, async () => {
    await using world = await worldOf([refuses(403), refuses(403)], FAULTS);
    const got = await play(world);
    assert.deepEqual([got.status, world.calls], [403, ["k1", "k2"]]);
    assert.match(got.body.toString(), /refused with 403/);
  });

  test(`${kind}: without any answer it is 502, or 504 after silence`, async () => {
    await using broken = await worldOf([resets, resets], FAULTS);
    assert.equal((await play(broken)).status, 502);
    assert.deepEqual(broken.calls, ["k1", "k2"]);
    await using silent = await worldOf([resets, hangs], FAULTS);
    assert.equal((await play(silent)).status, 504);
    assert.deepEqual(silent.calls, ["k1", "k2"]);
  });

  test(`${kind}: a limit is told where one key fails and the others rest`, async () => {
    await using world = await worldOf([resets, refuses(429, { "retry-after": "9" })], FAULTS);
    const got = await play(world);
    assert.equal(got.status, 429);
    assert.match(got.body.toString(), /rate-limited/);
  });

  test(`${kind}: a circuit breaker judges what became of the call in the end`, async () => {
    await using world = await worldOf([refuses(503), fine], { ...FAULTS, circuitBreaker: BREAKER });
    assert.equal((await play(world)).status, 200);
    if (isRecorded) await world.ended(1);
    assert.deepEqual(world.gateway.health.breakersOf("id-openai"), []);
    assert.deepEqual(world.gateway.health.breakersOf("id-anthropic"), []);
  });

  for (const status of [501, 505, 400, 404]) {
    test(`${kind}: a ${status} is about the request, and the client's`, async () => {
      await using world = await worldOf([refuses(status), fine], FAULTS);
      const got = await play(world);
      assert.deepEqual([got.status, world.calls], [status, ["k1"]]);
    });
  }
}

test("a single key that fails is still asked, because nobody else can be", async () => {
  let isWell = false;
  await using world = await worldOf([(res) => (isWell ? fine : refuses(500))(res)], FAULTS);
  for (let i = 0; i < 4; i += 1)
    assert.equal((await world.send(CHAT, { body: CHAT_BODY })).status, 500);
  assert.deepEqual(healthOf(world, CHAT), ["k1 temporary"]);
  isWell = true;
  assert.equal((await world.send(CHAT, { body: CHAT_BODY })).status, 200);
  assert.deepEqual(healthOf(world, CHAT), ["k1 valid"], "who serves is well again");
});

test("where all keys fail for long, each request asks two of them and no more", async () => {
  await using world = await worldOf([refuses(500), refuses(500), refuses(500)], FAULTS);
  const ask = () => world.send(CHAT, { body: CHAT_BODY });
  await ask();
  await ask();
  assert.equal(world.calls.length, 6);
  await ask();
  await ask();
  assert.equal(world.calls.length, 10);
});

test("two silent keys cost two time-outs, and the keys behind them are tried as well", async () => {
  await using world = await worldOf([hangs, hangs, fine], FAULTS);
  const startedMs = performance.now();
  assert.equal((await world.send(CHAT, { body: CHAT_BODY })).status, 200);
  assert.ok(performance.now() - startedMs >= 2 * BEGIN_MS_MAX - 20);
  assert.deepEqual(healthOf(world, CHAT), ["k1 temporary", "k2 temporary", "k3 valid"]);
});

test("what failed after long is not begun anew", async () => {
  const late: Reply = (res) => setTimeout(() => refuses(500)(res), 150);
  await using world = await worldOf([late, fine], { ...FAULTS, failoverWithinMs: 100 });
  const got = await world.send(CHAT, { body: CHAT_BODY });
  assert.deepEqual([got.status, world.calls], [500, ["k1"]]);
});

test("a stream that breaks after its first event is never begun anew", async () => {
  const breaks: Reply = (res) => {
    res.writeHead(200, STREAM_HEAD);
    res.write(MESSAGE_START, () => setTimeout(() => res.destroy(), 20));
  };
  await using world = await worldOf([breaks, fine], FAULTS);
  const got = await world.send(MESSAGES, { body: MESSAGES_BODY });
  assert.equal(got.body.toString().split("message_start").length, 3, "one event, two mentions");
  assert.match(got.body.toString(), /event: error\n/);
  assert.deepEqual(world.calls, ["k1"]);
});

test("an answer that is slow but steady is an answer", async () => {
  const text = MESSAGE_START + MESSAGE_REST;
  const slow: Reply = (res) => {
    res.writeHead(200, STREAM_HEAD);
    let sent = MESSAGE_START.length;
    res.write(text.slice(0, sent));
    const timer = setInterval(() => {
      res.write(text.slice(sent, (sent += 20)));
      if (sent < text.length) return;
      clearInterval(timer);
      res.end();
    }, BEGIN_MS_MAX / 6);
  };
  await using world = await worldOf([slow, fine], FAULTS);
  const startedMs = performance.now();
  const got = await world.send(MESSAGES, { body: MESSAGES_BODY });
  assert.deepEqual([got.body.toString(), world.calls], [text, ["k1"]]);
  assert.ok(performance.now() - startedMs > BEGIN_MS_MAX, "it took longer than it may to begin");
});

test("an overload error that was set aside is the client's when the other keys give no answer", async () => {
  await using world = await worldOf([streams(OVERLOADED), resets], FAULTS);
  const got = await world.send(MESSAGES, { body: MESSAGES_BODY });
  assert.deepEqual([got.status, got.body.toString()], [200, OVERLOADED]);
  const [end] = await world.ended(1);
  assert.deepEqual([end!.error?.type, end!.credentialHint], ["overloaded", "hint-1"]);
});

test("an error page without end is set aside too, and not kept", async () => {
  const endless: Reply = (res) => {
    res.writeHead(500, { "content-type": "text/html" });
    res.write("x".repeat(100_000));
  };
  await using world = await worldOf([endless, fine], FAULTS);
  assert.equal((await world.send(CHAT, { body: CHAT_BODY })).status, 200);
  await using bad = await worldOf([endless, resets], FAULTS);
  const got = await bad.send(CHAT, { body: CHAT_BODY });
  assert.deepEqual([got.status, bad.calls], [502, ["k1", "k2"]]);
  assert.match(got.body.toString(), /could not reach the model provider/);
});

test("what may not be repeated goes to one key: a passthrough POST, and one's own credential", async () => {
  await using world = await worldOf([refuses(500), fine], FAULTS);
  const made = await world.send("/openai/v1/conversations", { method: "POST", body: "{}" });
  assert.deepEqual([made.status, world.calls], [500, ["k1"]]);
  const counted = await world.send(`${MESSAGES}/count_tokens`, { body: MESSAGES_BODY });
  assert.deepEqual([counted.status, world.calls], [200, ["k1", "k1", "k2"]]);

  let calls = 0;
  await using own = await startTestGateway({
    config: FAULTS,
    upstream: (_req, res) => {
      calls += 1;
      refuses(500)(res);
    },
  });
  const headers = { "x-coder-ai-governance-token": TOKEN, "x-api-key": "sk-own" };
  const got = await own.send(MESSAGES, { body: MESSAGES_BODY, token: null, headers });
  assert.deepEqual([got.status, calls], [500, 1]);
});

test("a key that has rested is tried again, and a call that does not look for faults is no probe", async () => {
  let isWell = false;
  await using world = await worldOf([(res) => (isWell ? fine : refuses(500))(res), fine], FAULTS);
  const ask = () => world.send(CHAT, { body: CHAT_BODY });
  await ask();
  await ask();
  const [health] = world.gateway.health.keysOf("id-openai");
  const restMs = (health!.returnsAt?.getTime() ?? 0) - Date.now();
  assert.ok(restMs <= 1_000, `${restMs} ms`);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, restMs) + 10));
  isWell = true;
  const post = { method: "POST", body: "{}" };
  assert.equal((await world.send("/openai/v1/conversations", post)).status, 200);
  assert.equal((await ask()).status, 200);
  assert.deepEqual(world.calls.slice(-2), ["k1", "k1"]);
});

test("a client that leaves while an answer is waited for is followed by no other attempt", async () => {
  const reached = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const held: Reply = (res) => {
    res.on("close", () => closed.resolve());
    res.writeHead(200, STREAM_HEAD);
    res.flushHeaders();
    reached.resolve();
  };
  await using world = await worldOf([held, fine], FAULTS);
  const req = httpRequest(`${world.url}${MESSAGES}`, {
    method: "POST",
    headers: { "x-api-key": TOKEN },
  });
  req.on("error", () => {});
  req.end(MESSAGES_BODY);
  await reached.promise;
  req.destroy();
  await closed.promise;
  const [end] = await world.ended(1);
  assert.equal(end!.error?.type, "unknown");
  await new Promise((resolve) => setTimeout(resolve, BEGIN_MS_MAX + 100));
  assert.deepEqual([world.calls, healthOf(world, MESSAGES)], [["k1"], ["k1 valid", "k2 valid"]]);
});

test("a key that the provider repeats in its fault is masked where operators see it", async () => {
  const tells: Reply = (res) => {
    res.writeHead(500, { "content-type": "application/json" });
    res.end(`{"error":{"message":"cannot check sk-key-1 now","type":"x"}}`);
  };
  await using world = await worldOf([tells, fine], FAULTS);
  await world.send(CHAT, { body: CHAT_BODY });
  const [health] = world.gateway.health.keysOf("id-openai");
  assert.match(health!.lastError!.message, /^cannot check .* now$/);
  assert.doesNotMatch(health!.lastError!.message, /sk-key-1/);
});
