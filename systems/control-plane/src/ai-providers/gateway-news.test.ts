/** News between gateways: what a notification holds, how often one is sent, and what is made of foreign ones. */
import { silentLogger } from "@atelier/base/logger";
import type { GatewayNews } from "@atelier/contract/rpc/gateway-news";
import type { Subscriber } from "@atelier/database/pub-sub";
import { publish, startPubSub } from "@atelier/database/pub-sub";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { Tasks } from "@atelier/host/tasks";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase } from "@atelier/testkit/test-database";
import fc from "fast-check";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import {
  agedNews,
  formatNews,
  GATEWAY_NEWS,
  NEWS_BYTES_MAX,
  parseNews,
  subjectOf,
} from "./gateway-news-message.ts";
import { SPACING_MS, startGatewayNews, WAITING_MAX } from "./gateway-news-task.ts";

const PROVIDER = randomUUID();
const KEY = randomUUID();
const OPENED: GatewayNews = {
  kind: "breaker_opened",
  providerId: PROVIDER,
  endpoint: "/v1/messages",
  model: "m",
  forMs: 30_000,
};
const CLOSED: GatewayNews = {
  kind: "breaker_closed",
  providerId: PROVIDER,
  endpoint: "/v1/messages",
  model: "m",
};
const THROTTLED: GatewayNews = {
  kind: "key_out",
  providerId: PROVIDER,
  keyId: KEY,
  reason: "rate_limited",
  status: 429,
  forMs: 5_000,
};
const BACK: GatewayNews = { kind: "key_back", providerId: PROVIDER, keyId: KEY };

const anyNews: fc.Arbitrary<GatewayNews> = fc
  .oneof(
    fc.record({
      kind: fc.constant("breaker_opened" as const),
      providerId: fc.uuid({ version: 4 }),
      endpoint: fc.string({ maxLength: 64 }),
      model: fc.string({ unit: "grapheme", maxLength: 200 }),
      forMs: fc.integer({ min: 1, max: 86_400_000 }),
    }),
    fc.record({
      kind: fc.constant("key_out" as const),
      providerId: fc.uuid({ version: 4 }),
      keyId: fc.uuid({ version: 4 }),
      reason: fc.constantFrom("rate_limited", "unauthorized", "forbidden"),
      status: fc.option(fc.integer({ min: 100, max: 599 })),
      forMs: fc.option(fc.integer({ min: 1, max: 86_400_000 })),
    }),
    fc.constant(BACK),
  )
  .map((news) => ({ ...news }));

test("whatever news there are, a message fits a notification and says them unchanged, from the front", () => {
  fc.assert(
    fc.property(fc.array(anyNews, { maxLength: 80 }), (news) => {
      const { payload, count } = formatNews({ from: "me", news });
      assert.ok(Buffer.byteLength(payload) <= NEWS_BYTES_MAX);
      assert.deepEqual(parseNews(payload), { from: "me", news: news.slice(0, count) });
      assert.ok(count === news.length || count > 0);
    }),
  );
});

for (const { name, payload, want } of [
  { name: "no JSON", payload: "{", want: null },
  { name: "something else", payload: "[]", want: null },
  {
    name: "an unknown kind beside a known one",
    payload: JSON.stringify({ from: "x", news: [{ kind: "later" }, BACK] }),
    want: { from: "x", news: [BACK] },
  },
  {
    name: "a time without end",
    payload: JSON.stringify({ from: "x", news: [{ ...OPENED, forMs: 1e12 }] }),
    want: { from: "x", news: [] },
  },
  {
    name: "a key in place of its id",
    payload: JSON.stringify({ from: "x", news: [{ ...BACK, keyId: "sk-1" }] }),
    want: { from: "x", news: [] },
  },
]) {
  // prettier-ignore
  test(`of a foreign message, only what is understood is believed: ${name}`, () => {
    assert.deepEqual(parseNews(payload), want);
  });
}

test("the time that news wait is taken off, and news that are over are not sent", () => {
  assert.deepEqual(agedNews(OPENED, 1_000), { ...OPENED, forMs: 29_000 });
  assert.deepEqual(agedNews({ ...OPENED, forMs: 0.4 }, 0), { ...OPENED, forMs: 1 });
  assert.equal(agedNews(OPENED, 30_000), null);
  assert.deepEqual(agedNews(BACK, 1e9), BACK);
  assert.equal(agedNews({ ...OPENED, model: "m".repeat(1_000) }, 0), null);
});

test("the first news go at once, later ones together, and of one subject the latest", async () => {
  await using world = await start();
  world.peers.tell(THROTTLED);
  await world.settled();
  assert.deepEqual(world.sent(), [[THROTTLED]]);
  world.peers.tell(OPENED);
  world.peers.tell(CLOSED);
  world.peers.tell(BACK);
  await world.settled();
  assert.equal(world.sent().length, 1);
  await world.clock.advance(SPACING_MS);
  await world.settled();
  assert.deepEqual(world.sent()[1]?.map(({ kind }) => kind), ["breaker_closed", "key_back"]); // prettier-ignore
});

test("trouble with thousands of models is a bounded number of notifications", async () => {
  await using world = await start();
  const spans = 50;
  for (let span = 0; span < spans; span += 1) {
    for (let i = 0; i < 100; i += 1) world.peers.tell({ ...OPENED, model: `m-${span}-${i}` });
    await world.settled();
    await world.clock.advance(SPACING_MS);
  }
  assert.ok(world.sent().length <= spans + 1, `${world.sent().length}`);
  const told = world.sent().flat().map(subjectOf); // prettier-ignore
  assert.equal(new Set(told).size, told.length, "each once");
  assert.ok(told.length >= WAITING_MAX);
});

test("a database that is away costs the news and nothing else", async () => {
  await using world = await start();
  world.state.isAway = true;
  world.peers.tell(THROTTLED);
  await world.settled();
  await world.clock.advance(SPACING_MS);
  world.state.isAway = false;
  world.peers.tell(BACK);
  await world.settled();
  assert.deepEqual(world.sent(), [[BACK]]);
});

test("over Postgres, the others hear what one tells, and it does not hear itself", async () => {
  await using database = await testDatabase();
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger };
  const { connection } = database;
  await using pubSub = startPubSub({ connection, applicationName: "test" }, deps);
  await using tasks = new Tasks(silentLogger);
  const peers = (replicaId: string) =>
    startGatewayNews({ ...deps, database, pubSub, tasks, replicaId });
  const [one, two] = [peers("one"), peers("two")];
  const own: GatewayNews[] = [];
  const heard = Promise.withResolvers<GatewayNews>();
  using _own = one.hear((news) => own.push(news));
  using _other = two.hear((news) => heard.resolve(news));
  // Listening begins in the background: what is told before is lost, as it may be.
  const listening = Promise.withResolvers<void>();
  pubSub.subscribe(GATEWAY_NEWS, { message: () => {}, resync: () => listening.resolve() });
  await listening.promise;
  one.tell(THROTTLED);
  const news = await heard.promise;
  assert.deepEqual({ ...news, forMs: 0 }, { ...THROTTLED, forMs: 0 });
  assert.deepEqual(own, []);
});

async function start() {
  const database = await testDatabase();
  const clock = new FakeClock();
  const tasks = new Tasks(silentLogger);
  const state = { isAway: false };
  const payloads: string[] = [];
  const subscribers = new Set<Subscriber>();
  const peers = startGatewayNews({
    database: {
      get sql() {
        if (state.isAway) throw new Error("the database is away");
        return database.sql;
      },
    },
    pubSub: {
      subscribe: (channel, on) => {
        assert.equal(channel, GATEWAY_NEWS);
        subscribers.add(on);
        return { [Symbol.dispose]: () => subscribers.delete(on) };
      },
    },
    clock,
    log: silentLogger,
    tasks,
    replicaId: "one",
  });
  const listening = startPubSub(
    { connection: database.connection, applicationName: "test" },
    { clock: systemClock, random: systemRandom, log: silentLogger },
  );
  const connected = Promise.withResolvers<void>();
  const marks = new Map<string, () => void>();
  listening.subscribe(GATEWAY_NEWS, {
    message: (payload) => {
      const marked = marks.get(payload);
      if (marked === undefined) payloads.push(payload);
      else marked();
    },
    resync: () => connected.resolve(),
  });
  await connected.promise;
  return {
    peers,
    clock,
    state,
    sent: () => payloads.map((payload) => parseNews(payload)?.news ?? []),
    /** What could be sent before time passes has been, and has come: the last notification is one's own. */
    settled: async () => {
      await clock.untilSleeping();
      const mark = randomUUID();
      const marked = Promise.withResolvers<void>();
      marks.set(mark, marked.resolve);
      await publish(database.sql, GATEWAY_NEWS, mark);
      await marked.promise;
    },
    async [Symbol.asyncDispose]() {
      await tasks[Symbol.asyncDispose]();
      await listening[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
