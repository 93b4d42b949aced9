/**
 * A database that goes away and comes back under a running server: known callers are not told that
 * they are strangers, requests that cannot be recorded do not reach a provider, requests under way
 * finish, and everything works again without a restart.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { newClient } from "@atelier/database/database";
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { says } from "@atelier/testkit/scripted-model-reply";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";
import { CENTRAL_KEY, createProvider } from "./gateway-world.ts";

const GATEWAY = "/api/v2/ai-gateway";
/** Looks like one of ours. Nobody has it. */
const STRANGER = `${"a".repeat(10)}-${"b".repeat(22)}`;

/** The only way from the server to its database: a road that a test can close. */
type Road = AsyncDisposable & {
  readonly postgresUrl: string;
  /** Ends all connections and refuses new ones, as a stopped Postgres does. */
  cut(): void;
  /** Nothing arrives any more and nothing is refused, as when a network path dies. */
  freeze(): void;
  open(): void;
};

async function startRoad({ connection }: TestDatabase): Promise<Road> {
  const sockets = new Set<Socket>();
  let state: "open" | "cut" | "frozen" = "open";
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    from.on("error", () => {}); // `close` follows.
    from.pipe(to);
    if (state === "frozen") from.unpipe(to).pause();
  };
  const server = createServer((near) => {
    if (state === "cut") return near.resetAndDestroy();
    const far = connect(`${connection.host}/.s.PGSQL.${connection.port}`);
    join(near, far);
    join(far, near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    postgresUrl: `postgres://${connection.user}@127.0.0.1:${port}/${connection.database}`,
    cut() {
      state = "cut";
      drop();
    },
    freeze() {
      state = "frozen";
      for (const socket of sockets) socket.unpipe().pause();
    },
    open() {
      // What was sent into the dead path is lost, as it is in a network.
      if (state === "frozen") drop();
      state = "open";
    },
    async [Symbol.asyncDispose]() {
      drop();
      server.close();
      await once(server, "close");
    },
  };
}

async function startWorld() {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await testDatabase());
  const model = resources.use(await startScriptedModel({ apiKey: CENTRAL_KEY }));
  const road = resources.use(await startRoad(database));
  const server = resources.use(await startRealServer({ postgresUrl: road.postgresUrl }));
  const person = await setUpFirstUser(server);
  await createProvider(server, person, { name: "up", type: "openai", base_url: `${model.url}/v1` });
  const gateway = (path: string, { token = person.token, body = {} } = {}): Promise<Response> =>
    fetch(`${server.url}${GATEWAY}/up/v1/${path}`, {
      headers: { authorization: `Bearer ${token}` },
      ...(path === "models"
        ? {}
        : {
            method: "POST",
            body: JSON.stringify({
              model: "m",
              messages: [{ role: "user", content: "hi" }],
              ...body,
            }),
          }),
    });
  const held = resources.move();
  return {
    database,
    model,
    road,
    server,
    person,
    gateway,
    /** Status and text. */
    chat: async (token = person.token): Promise<string> => {
      const answer = await gateway("chat/completions", { token });
      return `${answer.status} ${await answer.text()}`;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

test("Postgres goes and comes back", async () => {
  await using world = await startWorld();
  const { model, road, server, person, gateway, chat } = world;
  assert.match(await chat(), /^200 /);
  // Under way when the database goes, and ending while it is away.
  const { promise: release, resolve: goOn } = Promise.withResolvers<void>();
  model.enqueue(says("a long story", { pause: { afterBytes: 200, until: release } }));
  const body = {
    stream: true,
    stream_options: { include_usage: true },
    model: "through-the-outage",
  };
  const underWay = await gateway("chat/completions", { body });
  assert.equal(underWay.status, 200);

  road.cut();
  await until(async () => (await server.api("GET", "/readyz")).status === 503);
  assert.equal((await server.api("GET", "/healthz")).status, 200);
  for (const [method, path, sent] of [
    ["GET", "/api/v2/users/me", undefined],
    ["GET", `${GATEWAY}/sessions`, undefined],
    [
      "POST",
      "/api/v2/users",
      { email: "b@example.com", username: "b", password: "horse-battery-9-x" },
    ],
    ["POST", "/api/v2/users/login", { email: person.email, password: person.password }],
  ] as const) {
    const answer = await server.api(method, path, {
      token: person.session,
      ...(sent === undefined ? {} : { body: sent }),
    });
    assert.deepEqual([answer.status, answer.body.code], [503, "server.unavailable"], path);
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
  }

  const heard = model.requests.length;
  // Longer than answers about callers stay fresh without messages: they are asked for again, in vain.
  for (const untilMs = performance.now() + 2_500; performance.now() < untilMs; await pause(250)) {
    assert.match(await chat(), /^500 .*failed to record interception/);
  }
  assert.match(await chat(STRANGER), /^503 .*could not check the token/);
  assert.match(await chat("nonsense"), /^403 .*unauthorized/);
  assert.equal(model.requests.length, heard, "no provider was asked");
  assert.equal((await gateway("models")).status, 200, "what is not recorded goes on");

  goOn();
  assert.match(await underWay.text(), /"content":" story"[^]*\[DONE\]\n\n$/);
  // Its end was to be written while there was no database.
  await until(async () => server.log().includes("recording is retried"));
  road.open();
  await until(async () => (await server.api("GET", "/readyz")).status === 200);
  await until(async () => (await chat()).startsWith("200 "));
  assert.match(await chat(STRANGER), /^403 /);
  const ended = await until(async () => {
    const listed = await server.api("GET", `${GATEWAY}/interceptions?q=model:${body.model}`, {
      token: person.session,
    });
    return listed.status === 200 && listed.body.results[0];
  });
  assert.equal(ended.error_type, null);
  assert.equal(ended.user_prompts[0].prompt, "hi");
  assert.ok(ended.token_usages[0].output_tokens > 0);
  // What was known before the outage is not believed for longer than usual.
  await server.api("DELETE", "/api/v2/users/me/keys/test", { token: person.session });
  await until(async () => (await chat()).startsWith("403 "), 2_000);
});

test("a database that takes no connections, as in maintenance, costs no record", async () => {
  await using world = await startWorld();
  const { database, model, server, person, gateway, chat } = world;
  const { promise: release, resolve: goOn } = Promise.withResolvers<void>();
  model.enqueue(says("a long story", { pause: { afterBytes: 200, until: release } }));
  const body = { stream: true, model: "through-maintenance" };
  const underWay = await gateway("chat/completions", { body });
  await using closed = await closeDatabase(database);
  await until(async () => (await server.api("GET", "/readyz")).status === 503);
  const answer = await server.api("GET", "/api/v2/users/me", { token: person.session });
  assert.deepEqual([answer.status, answer.body.code], [503, "server.unavailable"]);
  assert.match(await chat(), /^500 .*failed to record interception/);
  goOn();
  await underWay.text();
  await until(async () => server.log().includes("recording is retried"));
  await closed.open();
  await until(async () => (await chat()).startsWith("200 "));
  await until(async () => {
    const listed = await server.api("GET", `${GATEWAY}/interceptions?q=model:${body.model}`, {
      token: person.session,
    });
    return listed.status === 200 && listed.body.count === 1;
  });
  assert.doesNotMatch(server.log(), /lost \{"interception_id/);
});

/** Ends its connections and takes no new ones, until it is opened or the test is over. */
async function closeDatabase({ connection }: TestDatabase) {
  const admin = newClient({ ...connection, database: "postgres" }, "atelier tests");
  await admin.connect();
  const name = connection.database;
  const open = async (): Promise<void> => {
    await admin.query(`alter database ${name} allow_connections true`);
  };
  await admin.query(`alter database ${name} allow_connections false`);
  await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [
    name,
  ]);
  return {
    open,
    async [Symbol.asyncDispose]() {
      await open();
      await admin.end();
    },
  };
}

test("a database that falls silent holds up nobody for long", async () => {
  await using world = await startWorld();
  const { model, road, server, chat } = world;
  assert.match(await chat(), /^200 /);
  road.freeze();
  const heard = model.requests.length;
  const startedMs = performance.now();
  const [refused, ready, alive] = await Promise.all([
    chat(),
    server.api("GET", "/readyz"),
    server.api("GET", "/healthz"),
  ]);
  assert.match(refused, /^500 .*failed to record interception/);
  assert.deepEqual([ready.status, alive.status], [503, 200]);
  assert.ok(performance.now() - startedMs < 20_000);
  assert.equal(model.requests.length, heard, "no provider was asked");
  road.open();
  await until(async () => (await chat()).startsWith("200 "));
  await until(async () => (await server.api("GET", "/readyz")).status === 200);
});

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

/** Polls until the answer is neither false nor undefined, and returns it. */
async function until<T>(ask: () => Promise<T>, withinMs = 30_000) {
  for (const deadlineMs = performance.now() + withinMs; ; await pause(50)) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
    assert.ok(performance.now() < deadlineMs, `not within ${withinMs} ms: ${String(ask)}`);
  }
}
