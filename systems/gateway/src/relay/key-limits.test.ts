/** Limits of concurrent calls per key, through the whole gateway. */
import { Secret } from "@atelier/base/secret";
import type { GatewayProvider, InterceptionEnd } from "@atelier/contract/rpc/gateway-ports";
import assert from "node:assert/strict";
import { request as httpRequest, type ServerResponse } from "node:http";
import { test } from "node:test";
import type { GatewayConfig } from "../start.ts";
import {
  answerJson,
  CALLER,
  provider,
  startTestGateway,
  TOKEN,
  type TestGateway,
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

type Held = { readonly key: string; readonly res: ServerResponse };
type World = TestGateway & {
  /** What the provider has been asked and has not answered. */
  readonly held: Held[];
  /** Resolves when the provider has been asked so often in all. */
  asked(count: number): Promise<void>;
  /** Resolves when so many calls wait for a key. */
  waiting(count: number): Promise<void>;
  limitTo(max: number | null): void;
};

/** Keys k1 … of a provider that answers when the test says so. */
async function worldOf(
  options: {
    readonly keys?: number;
    readonly max?: number;
    readonly config?: Partial<GatewayConfig>;
  } = {},
): Promise<World> {
  const { keys: count = 1, max = 1, config = {} } = options;
  const held: Held[] = [];
  let asked = 0;
  let url = "";
  const keys = Array.from({ length: count }, (_, i) => ({
    id: `k${i + 1}`,
    secret: new Secret(`sk-key-${i + 1}`),
    hint: `hint-${i + 1}`,
  }));
  const providersOf = (keyConcurrencyMax: number | null): GatewayProvider[] => [
    provider("openai", "openai", `${url}/v1`, { keys, keyConcurrencyMax }),
    provider("anthropic", "anthropic", url, { keys, keyConcurrencyMax }),
  ];
  const gateway = await startTestGateway({
    config,
    authorize: (token) => ({ kind: "authorized", caller: { ...CALLER, userId: token } }),
    upstream: (req, res) => {
      const credential = String(req.headers.authorization ?? req.headers["x-api-key"]);
      req.resume().on("end", () => {
        held.push({ key: `k${/sk-key-(\d+)/.exec(credential)?.[1]}`, res });
        asked += 1;
      });
    },
    providers: (upstreamUrl) => {
      url = upstreamUrl;
      return providersOf(max);
    },
  });
  const until = async (holds: () => boolean): Promise<void> => {
    const startedMs = performance.now();
    while (!holds()) {
      assert.ok(performance.now() - startedMs < 20_000, "it comes to that within 20 s");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const health = () => gateway.gateway.health;
  return Object.assign(gateway, {
    held,
    asked: (wanted: number) => until(() => asked >= wanted),
    waiting: (wanted: number) =>
      until(() => health().waitingOf("id-openai") + health().waitingOf("id-anthropic") === wanted),
    limitTo: (limit: number | null) => gateway.setProviders(providersOf(limit)),
  });
}

const answer = ({ res }: Held): void => answerJson(res, 200, CHAT_ANSWER);
const chat = (world: World, token = TOKEN) => world.send(CHAT, { body: CHAT_BODY, token });
/** Why it got its key, or none. */
function whyOf(end: InterceptionEnd | undefined): string {
  const trail = end?.trail ?? null;
  if (trail === null) return "unknown";
  if (trail.kind === "plain") return trail.reason;
  const [attempt] = trail.attempts;
  const passedOver = attempt?.passedOver ?? trail.refusal?.passedOver ?? [];
  const passed = passedOver.map(({ keyHint, why }) => `${keyHint} ${why}`);
  const waited = (attempt?.waitedMs ?? null) === null ? [] : ["waited"];
  return [attempt?.reason ?? trail.refusal?.kind, ...passed, ...waited].join(", ");
}
const underWay = (world: World, id = "id-openai") =>
  world.gateway.health.keysOf(id).map((key) => key.underWay);

test("calls go to the next key where the first is at its limit, and wait where all are", async () => {
  await using world = await worldOf({ keys: 2 });
  const calls = [chat(world)];
  await world.asked(1);
  calls.push(chat(world));
  await world.asked(2);
  calls.push(chat(world));
  await world.waiting(1);
  assert.deepEqual(world.held.map(({ key }) => key), ["k1", "k2"]); // prettier-ignore
  assert.deepEqual(underWay(world), [1, 1]);
  assert.deepEqual(await world.metricLines("key_slots"), [
    'atelier_ai_gateway_key_slots{provider="anthropic"} 0',
    'atelier_ai_gateway_key_slots{provider="openai"} 2',
  ]);
  assert.match((await world.metricLines("key_queue_length")).join(), /openai"\} 1/);
  answer(world.held[1]!);
  await world.asked(3);
  assert.equal(world.held[2]!.key, "k2");
  answer(world.held[0]!);
  answer(world.held[2]!);
  for (const { status, headers } of await Promise.all(calls)) {
    assert.equal(status, 200);
    assert.ok(headers["server-timing"]);
  }
  assert.deepEqual(underWay(world), [0, 0]);
  assert.match((await world.metricLines("key_queue_seconds_count")).join(), /openai"\} 1/);
  const ends = await world.ended(3);
  const reasons = world.recorded.starts.map(({ id }) => whyOf(ends.find((end) => end.id === id)));
  assert.deepEqual(reasons, ["first", "free, hint-1 busy", "slot, hint-1 busy, waited"]);
});

test("one person's waiting calls do not hold another's first one up", async () => {
  await using world = await worldOf();
  const order: string[] = [];
  const ask = async (token: string): Promise<void> => {
    await chat(world, token);
    order.push(token);
  };
  const calls = [ask("ann-token-0123456789012345678901")];
  await world.asked(1);
  for (let i = 1; i <= 20; i += 1) {
    calls.push(ask("ann-token-0123456789012345678901"));
    await world.waiting(i);
  }
  calls.push(ask("ben-token-0123456789012345678901"));
  await world.waiting(21);
  for (let i = 0; i < 22; i += 1) {
    await world.asked(i + 1);
    answer(world.held[i]!);
    // Each is heard of before the next: two answers on their way may come in either order.
    while (order.length <= i) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(calls);
  assert.ok(order.indexOf("ben-token-0123456789012345678901") <= 2, order.join());
});

const ENDS: readonly { readonly end: string; readonly path: string; readonly play: (held: Held) => void }[] = [
  { end: "the last event, although the stream stays open", path: MESSAGES, play: ({ res }) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(MESSAGE_START + MESSAGE_REST);
  } },
  { end: "the end of an answer", path: CHAT, play: answer },
  { end: "an error of the provider", path: CHAT, play: ({ res }) => answerJson(res, 500, {}) },
  { end: "a connection that breaks before the head", path: CHAT, play: ({ res }) => res.socket?.resetAndDestroy() },
  { end: "a stream that breaks", path: MESSAGES, play: ({ res }) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(MESSAGE_START, () => res.destroy());
  } },
  { end: "a refusal of the request", path: CHAT, play: ({ res }) => answerJson(res, 400, {}) },
]; // prettier-ignore
for (const { end, path, play } of ENDS) {
  test(`a slot is free again after ${end}`, async () => {
    await using world = await worldOf();
    const ask = () => world.send(path, { body: path === CHAT ? CHAT_BODY : MESSAGES_BODY });
    const first = ask();
    await world.asked(1);
    const second = ask();
    await world.waiting(1);
    play(world.held[0]!);
    await world.asked(2);
    world.held[0]!.res.end();
    answer(world.held[1]!);
    await Promise.all([first, second]);
  });
}

test("a slot is free again when its client leaves, and so is the place of one that waits", async () => {
  await using world = await worldOf();
  const leaver = (): (() => void) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const req = httpRequest(`${world.url}${CHAT}`, { method: "POST", headers });
    req.on("error", () => {});
    req.end(CHAT_BODY);
    return () => req.destroy();
  };
  const leaveFirst = leaver();
  await world.asked(1);
  const leaveSecond = leaver();
  await world.waiting(1);
  const third = chat(world);
  await world.waiting(2);
  leaveSecond();
  await world.waiting(1);
  leaveFirst();
  await world.asked(2);
  answer(world.held[1]!);
  assert.equal((await third).status, 200);
});

test("a full queue is answered 429 and a long wait 503, both in the provider's shape", async () => {
  const config = { keyQueue: { lengthMax: 1, msMax: 1_500 } };
  await using world = await worldOf({ config });
  const first = chat(world);
  await world.asked(1);
  const second = chat(world);
  await world.waiting(1);
  const full = await chat(world);
  assert.deepEqual([full.status, full.headers["retry-after"]], [429, "5"]);
  assert.equal(JSON.parse(full.body.toString()).error.type, "rate_limit_error");
  const late = await second;
  assert.deepEqual([late.status, late.headers["retry-after"]], [503, "5"]);
  assert.match(JSON.parse(late.body.toString()).error.message, /limit of concurrent requests/);
  assert.deepEqual(await world.metricLines("key_queue_refusals_total"), [
    'atelier_ai_gateway_key_queue_refusals_total{provider="openai",reason="queue_full"} 1',
    'atelier_ai_gateway_key_queue_refusals_total{provider="openai",reason="queue_timeout"} 1',
  ]);
  answer(world.held[0]!);
  assert.equal((await first).status, 200);
  const ends = await world.ended(3);
  assert.deepEqual(ends.map((end) => end.error?.type ?? "served").toSorted(), ["rate_limited", "rate_limited", "served"]); // prettier-ignore
  assert.deepEqual(ends.map(whyOf).toSorted(), ["first", "queue_full, hint-1 busy", "queue_timeout, hint-1 busy"]); // prettier-ignore
});

test("a key that its provider throttles gives its slot up, and its call waits for the next key", async () => {
  await using world = await worldOf({ keys: 2 });
  const first = chat(world);
  await world.asked(1);
  const second = chat(world);
  await world.asked(2);
  answerJson(world.held[0]!.res, 429, { error: { message: "slow down", type: "x" } });
  await world.waiting(1);
  assert.deepEqual(underWay(world), [0, 1]);
  answer(world.held[1]!);
  await world.asked(3);
  assert.equal(world.held[2]!.key, "k2");
  answer(world.held[2]!);
  assert.deepEqual([(await first).status, (await second).status], [200, 200]);
});

test("a limit that is raised, or taken away, counts for those who wait", async () => {
  await using world = await worldOf();
  const calls = [chat(world)];
  await world.asked(1);
  calls.push(chat(world), chat(world));
  await world.waiting(2);
  world.limitTo(2);
  await world.asked(2);
  world.limitTo(null);
  await world.asked(3);
  assert.deepEqual(underWay(world), [null]);
  for (const held of world.held) answer(held);
  for (const { status } of await Promise.all(calls)) assert.equal(status, 200);
});

test("what passes through waits for nothing, and one's own credential has no limit of ours", async () => {
  await using world = await worldOf();
  const first = chat(world);
  await world.asked(1);
  const models = world.send("/openai/v1/models", { method: "GET" });
  await world.asked(2);
  const headers = { "x-coder-ai-governance-token": TOKEN, authorization: "Bearer sk-own" };
  const own = world.send(CHAT, { body: CHAT_BODY, token: null, headers });
  await world.asked(3);
  for (const held of world.held) answer(held);
  for (const { status } of await Promise.all([first, models, own])) assert.equal(status, 200);
});

test("a server that stops ends those who wait", async () => {
  await using world = await worldOf();
  const first = chat(world);
  await world.asked(1);
  const second = chat(world);
  await world.waiting(1);
  await world.gateway.drain(AbortSignal.abort());
  assert.deepEqual([(await first).status, (await second).status], [503, 503]);
  assert.equal(world.held.length, 1, "its turn did not come any more");
});
