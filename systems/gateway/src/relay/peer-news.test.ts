/** Two gateways in front of one provider: what one learns of it, the other knows. */
import type { GatewayNews, GatewayPeers } from "@atelier/contract/rpc/gateway-news";
import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { test } from "node:test";
import type { GatewayConfig } from "../start.ts";
import {
  answerJson,
  listen,
  provider,
  startTestGateway,
  TIMEOUTS,
  type TestGateway,
} from "./gateway-testkit.ts";
import { CHAT, CHAT_ANSWER, CHAT_BODY } from "./gateway-traffic-testkit.ts";

const BREAKER = { failureThreshold: 2, intervalMs: 10_000, openMs: 60_000, probesMax: 1 };
const KEYS = ["k1", "k2"].map((id) => ({ id, secret: new Secret(`sk-${id}`), hint: id }));

/** Delivers at once, and keeps what was told. */
function network() {
  const told: GatewayNews[] = [];
  const listeners = new Map<number, (news: GatewayNews) => void>();
  let count = 0;
  const join = (): GatewayPeers => {
    const own = (count += 1);
    return {
      tell: (news) => {
        told.push(news);
        for (const [other, listener] of listeners) if (other !== own) listener(news);
      },
      hear: (listener) => {
        listeners.set(own, listener);
        return { [Symbol.dispose]: () => listeners.delete(own) };
      },
    };
  };
  const say = (news: GatewayNews): void => {
    for (const hear of listeners.values()) hear(news);
  };
  return { told, join, say };
}

async function worldOf(upstream: RequestListener, config: Partial<GatewayConfig> = {}) {
  const asked: string[] = [];
  const server = await listen((req, res) => {
    asked.push(/sk-(k\d)/.exec(String(req.headers.authorization))?.[1] ?? "");
    req.resume().on("end", () => upstream(req, res));
  });
  const { told, join, say } = network();
  const providers = () => [provider("openai", "openai", `${server.url}/v1`, { keys: KEYS })];
  const start = (): Promise<TestGateway> =>
    startTestGateway({ upstream, providers, config, peers: join() });
  const [one, two] = [await start(), await start()];
  return {
    asked,
    told,
    say,
    one,
    two,
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]();
      await two[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

const ask = (gateway: TestGateway) => gateway.send(CHAT, { body: CHAT_BODY });
const statesOf = ({ gateway }: TestGateway) =>
  gateway.health.keysOf("id-openai").map(({ state }) => state);
const refusing =
  (status: number, key: string): RequestListener =>
  (req, res) => {
    const isRefused = String(req.headers.authorization).endsWith(key);
    if (isRefused) answerJson(res, status, { error: { message: `sk-${key} is bad`, type: "x" } });
    else answerJson(res, 200, CHAT_ANSWER);
  };

for (const { status, policy, state } of [
  { status: 429, policy: "cooldown", state: "temporary" },
  { status: 401, policy: "cooldown", state: "temporary" },
  { status: 401, policy: "permanent", state: "permanent" },
  { status: 403, policy: "permanent", state: "permanent" },
] as const) {
  test(`a key that got ${status} (${policy}) on one server is not tried on the other`, async () => {
    await using world = await worldOf(refusing(status, "k1"), { keyAuthFailurePolicy: policy });
    assert.equal((await ask(world.one)).status, 200);
    assert.deepEqual(statesOf(world.two), [state, "valid"]);
    assert.equal((await ask(world.two)).status, 200);
    assert.deepEqual(world.asked, ["k1", "k2", "k2"]);
    assert.equal(world.told.length, 1, "what is heard is not told again");
    assert.doesNotMatch(JSON.stringify(world.told), /sk-/);
  });
}

test("a breaker that a provider's answers open on one server rejects on the other, and closes there too", async () => {
  let status = 503;
  const config = { circuitBreaker: { ...BREAKER, openMs: 1_500 } };
  await using world = await worldOf((_req, res) => answerJson(res, status, CHAT_ANSWER), config);
  await ask(world.one);
  await ask(world.one);
  await world.one.ended(2);
  const rejected = await ask(world.two);
  assert.deepEqual([rejected.status, world.asked.length], [503, 2]);
  assert.match(rejected.body.toString(), /circuit breaker is open/);
  assert.match(String(rejected.headers["retry-after"]), /^[12]$/);
  status = 200;
  await new Promise((resolve) => setTimeout(resolve, 1_550));
  assert.equal((await ask(world.one)).status, 200);
  await world.one.ended(3);
  assert.deepEqual(world.two.gateway.health.breakersOf("id-openai"), []);
  assert.deepEqual(world.told.map(({ kind }) => kind), ["breaker_opened", "breaker_closed"]); // prettier-ignore
});

test("silence opens one's own breaker only: it may be one's own network", async () => {
  const config = {
    circuitBreaker: { ...BREAKER, failureThreshold: 1 },
    upstreamTimeouts: { ...TIMEOUTS, headerMs: 100 },
  };
  await using world = await worldOf(() => {}, config);
  assert.equal((await ask(world.one)).status, 504);
  await world.one.ended(1);
  assert.equal(world.one.gateway.health.breakersOf("id-openai").length, 1);
  assert.deepEqual([world.told, world.two.gateway.health.breakersOf("id-openai")], [[], []]);
});

test("a refused key that passes its check serves again on both servers", async () => {
  let isWell = false;
  const bad = refusing(401, "k1");
  const upstream: RequestListener = (req, res) =>
    isWell ? answerJson(res, 200, { data: [], ...CHAT_ANSWER }) : bad(req, res);
  const config = { keyAuthFailurePolicy: "permanent", keyRecheckMs: 50 } as const;
  await using world = await worldOf(upstream, config);
  const before = ask(world.one);
  await before;
  assert.deepEqual(statesOf(world.one), ["permanent", "valid"]);
  isWell = true;
  const startedMs = performance.now();
  while (statesOf(world.two)[0] !== "valid") {
    assert.ok(performance.now() - startedMs < 20_000, "it is back within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(statesOf(world.one), ["valid", "valid"]);
  const [key] = world.one.gateway.health.keysOf("id-openai");
  assert.ok(key!.lastCheckedAt);
  assert.equal(key!.lastError?.status, 401);
  assert.deepEqual(world.told.map(({ kind }) => kind), ["key_out", "key_back"]); // prettier-ignore
});

test("a refused key that fails its check stays out, and is asked about once", async () => {
  const config = { keyAuthFailurePolicy: "permanent", keyRecheckMs: 20 } as const;
  await using world = await worldOf(refusing(401, "k1"), config);
  await ask(world.one);
  const keyNow = () => world.one.gateway.health.keysOf("id-openai")[0];
  while (!keyNow()?.lastCheckedAt) await new Promise((resolve) => setTimeout(resolve, 5));
  // Time for more checks, were there more.
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual(world.asked, ["k1", "k2", "k1"]);
  assert.equal(keyNow()?.state, "permanent");
});

test("news of what this server does not have change nothing, and double ones count once", async () => {
  await using world = await worldOf((_req, res) => answerJson(res, 200, CHAT_ANSWER));
  const out: GatewayNews = {
    kind: "key_out",
    providerId: "id-openai",
    keyId: "k1",
    reason: "rate_limited",
    status: 429,
    forMs: 60_000,
  };
  world.say({ ...out, providerId: "other" });
  world.say({ ...out, keyId: "other" });
  const { providerId } = out;
  world.say({ kind: "breaker_opened", providerId, endpoint: "/x", model: "m", forMs: 9 });
  assert.deepEqual(statesOf(world.one), ["valid", "valid"]);
  world.say(out);
  const [first] = world.one.gateway.health.keysOf("id-openai");
  world.say({ ...out, forMs: 1 });
  const [second] = world.one.gateway.health.keysOf("id-openai");
  assert.ok(second!.returnsAt!.getTime() >= first!.returnsAt!.getTime() - 5_000, "never shorter");
  assert.deepEqual(world.told, []);
});

test("a server that never refuses keys for good holds a 403 of another against no key", async () => {
  await using world = await worldOf((_req, res) => answerJson(res, 200, CHAT_ANSWER));
  const about = { providerId: "id-openai", keyId: "k1", status: 403, forMs: null } as const;
  world.say({ kind: "key_out", ...about, reason: "forbidden" });
  assert.deepEqual(statesOf(world.one), ["valid", "valid"]);
});
