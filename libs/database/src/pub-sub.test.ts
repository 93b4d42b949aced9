import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import type { Clock } from "@atelier/base/clock";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase } from "@atelier/testkit/test-database";
import type { DatabaseConnection } from "./database.ts";
import { publish, startPubSub, type PubSub } from "./pub-sub.ts";

/** What a subscriber heard, in order; each can be waited for. */
class Heard {
  readonly #events: string[] = [];
  #waiting = Promise.withResolvers<void>();

  message(payload: string): void {
    this.#add(`message ${payload}`);
  }

  resync(): void {
    this.#add("resync");
  }

  /** Resolves with everything, once there are `count`. */
  async first(count: number): Promise<string[]> {
    while (this.#events.length < count) await this.#waiting.promise;
    return [...this.#events];
  }

  #add(event: string): void {
    this.#events.push(event);
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers();
  }
}

function start(connection: DatabaseConnection, clock: Clock = systemClock): PubSub {
  const deps = { clock, random: systemRandom, log: silentLogger };
  return startPubSub({ connection, applicationName: "pub-sub test" }, deps);
}

test("a subscriber resyncs once it listens, and then gets the messages of its channel", async () => {
  await using database = await testDatabase();
  await using pubSub = start(database.connection);
  const heard = new Heard();
  using _ = pubSub.subscribe("fruit", heard);
  await heard.first(1);
  assert.equal(pubSub.isConnected, true);

  await publish(database.sql, "vegetables", "leek");
  await publish(database.sql, "fruit", "apple");
  await publish(database.sql, "fruit", "");
  assert.deepEqual(await heard.first(3), ["resync", "message apple", "message "]);
});

test("a subscriber that comes later resyncs and listens too", async () => {
  await using database = await testDatabase();
  await using pubSub = start(database.connection);
  const early = new Heard();
  using _early = pubSub.subscribe("fruit", early);
  await early.first(1);

  const late = new Heard();
  using _late = pubSub.subscribe("vegetables", late);
  await late.first(1);
  await publish(database.sql, "vegetables", "leek");
  assert.deepEqual(await late.first(2), ["resync", "message leek"]);
});

test("who has left hears nothing, and a subscriber that throws costs the others nothing", async () => {
  await using database = await testDatabase();
  await using pubSub = start(database.connection);
  const [gone, stays] = [new Heard(), new Heard()];
  const leaving = pubSub.subscribe("fruit", gone);
  using _throws = pubSub.subscribe("fruit", {
    message: () => {
      throw new Error("on purpose");
    },
    resync: () => {},
  });
  using _stays = pubSub.subscribe("fruit", stays);
  await stays.first(1);
  await gone.first(1);
  leaving[Symbol.dispose]();
  await publish(database.sql, "fruit", "apple");
  assert.deepEqual(await stays.first(2), ["resync", "message apple"]);
  assert.deepEqual(await gone.first(1), ["resync"]);
});

test("a channel that nobody wants is not listened to, and heard again by who comes back", async () => {
  await using database = await testDatabase();
  await using pubSub = start(database.connection);
  const channel = "chat_update_0123456789abcdef";
  const [leaver, comer] = [new Heard(), new Heard()];
  const leaving = pubSub.subscribe(channel, leaver);
  await leaver.first(1);
  leaving[Symbol.dispose]();
  const newest = async (): Promise<unknown> => {
    const { rows } = await database.pool.query<{ query: string }>(
      "select query from pg_stat_activity where application_name = 'pub-sub test' and datname = $1",
      [database.connection.database],
    );
    return rows[0]?.query;
  };
  const deadline = AbortSignal.timeout(60_000);
  while ((await newest()) !== `unlisten "${channel}"`) await systemClock.sleep(5, deadline);

  // One leaves and another comes in the same moment: the last word is to listen.
  const between = pubSub.subscribe(channel, leaver);
  between[Symbol.dispose]();
  using _ = pubSub.subscribe(channel, comer);
  await comer.first(1);
  await publish(database.sql, channel, "apple");
  assert.deepEqual(await comer.first(2), ["resync", "message apple"]);
});

test("who comes to a channel that others listen to costs no statement, and misses nothing", async () => {
  await using database = await testDatabase();
  await using pubSub = start(database.connection);
  const [first, other, second, again] = [new Heard(), new Heard(), new Heard(), new Heard()];
  const leaving = pubSub.subscribe("fruit", first);
  await first.first(1);
  using _other = pubSub.subscribe("vegetables", other);
  await other.first(1);
  const newest = async (): Promise<unknown> => {
    const { rows } = await database.pool.query<{ query: string }>(
      "select query from pg_stat_activity where application_name = 'pub-sub test' and datname = $1",
      [database.connection.database],
    );
    return rows[0]?.query;
  };
  const staying = pubSub.subscribe("fruit", second);
  await second.first(1);
  assert.equal(await newest(), 'listen "vegetables"');
  leaving[Symbol.dispose]();
  await publish(database.sql, "fruit", "apple");
  assert.deepEqual(await second.first(2), ["resync", "message apple"]);
  // Nobody is left: it is not listened to any more, and whoever comes has to say so anew.
  staying[Symbol.dispose]();
  using _again = pubSub.subscribe("fruit", again);
  await again.first(1);
  assert.equal(await newest(), 'listen "fruit"');
  await publish(database.sql, "fruit", "pear");
  assert.deepEqual(await again.first(2), ["resync", "message pear"]);
});

test("what is published in a transaction arrives when it commits, or never", async () => {
  await using database = await testDatabase();
  await using pubSub = start(database.connection);
  const heard = new Heard();
  using _ = pubSub.subscribe("fruit", heard);
  await heard.first(1);

  const undone = database.transaction(async (sql) => {
    await publish(sql, "fruit", "rolled back");
    throw new Error("undo");
  });
  await assert.rejects(undone, { message: "undo" });
  await database.transaction((sql) => publish(sql, "fruit", "committed"));
  assert.deepEqual(await heard.first(2), ["resync", "message committed"]);
});

test("after the server ended the connection, it reconnects, resyncs and delivers again", async () => {
  await using database = await testDatabase();
  await using pubSub = start(database.connection);
  const heard = new Heard();
  let losses = 0;
  using _ = pubSub.subscribe("fruit", {
    message: (payload) => heard.message(payload),
    resync: () => heard.resync(),
    lost: () => (losses += 1),
  });
  await heard.first(1);
  assert.equal(losses, 0);

  await database.pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pub-sub test' and datname = current_database()",
  );
  await heard.first(2);
  assert.equal(losses, 1);
  await publish(database.sql, "fruit", "apple");
  assert.deepEqual(await heard.first(3), ["resync", "resync", "message apple"]);
});

test("a connection that dies in silence is noticed within ten seconds", async () => {
  await using database = await testDatabase();
  await using proxy = await startProxy(database.connection);
  const clock = new FakeClock();
  await using pubSub = start({ ...database.connection, ...proxy.address }, clock);
  const heard = new Heard();
  using _ = pubSub.subscribe("fruit", heard);
  await heard.first(1);

  proxy.freeze();
  await clock.advance(9_999);
  assert.equal(pubSub.isConnected, true);
  await clock.advance(1);
  assert.equal(pubSub.isConnected, false);
  await clock.advance(100); // The first delay before it connects again.
  assert.deepEqual(await heard.first(2), ["resync", "resync"]);
});

test("a heartbeat that is answered keeps the connection", async () => {
  await using database = await testDatabase();
  const clock = new FakeClock();
  await using pubSub = start(database.connection, clock);
  const heard = new Heard();
  using _ = pubSub.subscribe("fruit", heard);
  await heard.first(1);
  await clock.advance(5_000);
  // Statements of one connection are answered in order: after this, so is the heartbeat.
  const second = new Heard();
  using __ = pubSub.subscribe("vegetables", second);
  await second.first(1);
  await clock.advance(6_000);
  assert.equal(pubSub.isConnected, true);
});

test("it can be closed while no server answers", async () => {
  await using server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const pubSub = start({ host: "127.0.0.1", port, user: "app", database: "none" });
  const [socket] = await accepted;
  await pubSub[Symbol.asyncDispose]();
  assert.equal(pubSub.isConnected, false);
  socket.destroy();
});

test("a payload that Postgres would refuse is a bug of the publisher", async () => {
  await using database = await testDatabase();
  await publish(database.sql, "fruit", "x".repeat(7_999));
  await assert.rejects(publish(database.sql, "fruit", "x".repeat(8_000)), /fits/);
  await assert.rejects(publish(database.sql, 'fruit"; drop', ""), /channel/);
});

/** Passes bytes on until frozen; connections made after that work again. */
async function startProxy({ host, port }: { host: string; port: number }) {
  const pairs: Socket[][] = [];
  const server = createServer((client) => {
    const upstream = connect(join(host, `.s.PGSQL.${port}`));
    for (const socket of [client, upstream]) socket.on("error", () => {}); // Destroyed below.
    client.pipe(upstream).pipe(client);
    pairs.push([client, upstream]);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: own } = server.address() as { port: number };
  return {
    address: { host: "127.0.0.1", port: own },
    freeze: () => {
      for (const socket of pairs.flat()) socket.unpipe().pause();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of pairs.flat()) socket.destroy();
      server.close();
    },
  };
}
