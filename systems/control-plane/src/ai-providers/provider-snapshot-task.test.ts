import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { silentLogger, type Logger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { publish, startPubSub, type PubSub, type Subscriber } from "@atelier/database/pub-sub";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { createMetrics } from "@atelier/host/metrics";
import { Tasks } from "@atelier/host/tasks";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase } from "@atelier/testkit/test-database";
import { sql as text } from "kysely";
import { createVault } from "../vault/vault.ts";
import {
  countProviderChange,
  deleteModelProvider,
  insertModelProvider,
  insertModelProviderKey,
  loadProviderRows,
} from "./model-provider-store.ts";
import { POLL_MS, startProviderSnapshots } from "./provider-snapshot-task.ts";
import { USUAL_KEY_POLICY } from "@atelier/contract/chat/provider-key-choice";
import { keySealedAt, PROVIDERS_CHANNEL } from "./provider-snapshot.ts";

const vault = newVault();

function newVault() {
  const created = createVault([new Secret(randomBytes(32).toString("base64"))]);
  assert(created.ok);
  return created.value;
}

type Line = { readonly level: string; readonly fields: object; readonly message: string };

function recordingLogger(lines: Line[]): Logger {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  return logger;
}

async function start() {
  const database = await testDatabase();
  const clock = new FakeClock();
  const tasks = new Tasks(silentLogger);
  const lines: Line[] = [];
  const on: Subscriber = { message: () => {}, resync: () => {} };
  const metrics = createMetrics();
  const begin = (from = database) =>
    startProviderSnapshots({
      database: from,
      pubSub: {
        subscribe: (_channel, subscriber) => {
          Object.assign(on, subscriber);
          return { [Symbol.dispose]: () => {} };
        },
      },
      vault,
      clock,
      log: recordingLogger(lines),
      metrics,
      tasks,
      isByokAllowed: true,
    });
  return {
    database,
    clock,
    lines,
    on,
    metrics,
    begin,
    async insert(name: string, fields: { baseUrl?: string; enabled?: boolean } = {}) {
      const id = randomUUID();
      const now = clock.now();
      await insertModelProvider(database.sql, {
        id,
        type: "openai",
        name,
        displayName: "",
        enabled: fields.enabled ?? true,
        baseUrl: fields.baseUrl ?? "https://models.example/v1",
        keyConcurrencyMax: null,
        keyPolicy: USUAL_KEY_POLICY,
        sealedSettings: null,
        createdAt: now,
        updatedAt: now,
      });
      const keyId = randomUUID();
      const sealed = vault.seal(`sk-${name}`, keySealedAt(keyId));
      const key = { id: keyId, masked: "m", createdAt: now, sealed };
      await insertModelProviderKey(database.sql, id, key);
      await countProviderChange(database.sql);
      return { id, keyId };
    },
    async [Symbol.asyncDispose]() {
      await tasks[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Waits for what a real database call brings about; the clock stands still meanwhile. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; !isTrue(); turn += 1) {
    assert(turn < 20_000, "it happens soon");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test("the first snapshot is there when start returns", async () => {
  await using world = await start();
  await world.insert("one");
  const source = await world.begin();
  const { version, providers } = source.current();
  assert.equal(version, 1);
  assert.equal(providers.get("one")?.keys[0]?.secret.reveal(), "sk-one");
});

test("a notification loads at once, a snapshot in use does not change", async () => {
  await using world = await start();
  await world.insert("one");
  const source = await world.begin();
  const before = source.current();
  await world.insert("two");
  world.on.message("");
  await until(() => source.current().version === 2);
  assert.deepEqual([...source.current().providers.keys()], ["one", "two"]);
  assert.deepEqual([...before.providers.keys()], ["one"]);
  assert.equal(source.current().providers.get("one"), before.providers.get("one"));
});

test("a regained connection loads, as messages may be missing", async () => {
  await using world = await start();
  const source = await world.begin();
  world.on.resync();
  await until(() => source.current().version === 2);
});

test("a change without a notification is found by the next poll, and none is loaded twice", async () => {
  await using world = await start();
  const source = await world.begin();
  await world.insert("one");
  await world.clock.advance(POLL_MS);
  await until(() => source.current().version === 2);
  const { rows } = await text`select 1`.execute(world.database.sql);
  assert.equal(rows.length, 1);
  await world.clock.advance(POLL_MS);
  await source.refresh();
  assert.equal(source.current().version, 3, "the refresh loads, the poll did not");
});

test("refresh takes over a change of this moment, also while an older read is under way", async () => {
  await using world = await start();
  const read = Promise.withResolvers<void>();
  let gate = Promise.resolve();
  const source = await world.begin({
    ...world.database,
    readOnlyTransaction: async (work) => {
      const result = await world.database.readOnlyTransaction(work);
      read.resolve();
      await gate;
      return result;
    },
  });
  const opened = Promise.withResolvers<void>();
  gate = opened.promise;
  const older = source.refresh();
  await new Promise((resolve) => setImmediate(resolve));
  await read.promise;
  await world.insert("one");
  const newer = source.refresh();
  opened.resolve();
  await older;
  await newer;
  assert.deepEqual([...source.current().providers.keys()], ["one"]);
});

test("a disabled provider is known without keys, a deleted one is unknown", async () => {
  await using world = await start();
  await world.insert("off", { enabled: false });
  const { id } = await world.insert("gone");
  await deleteModelProvider(world.database.sql, id, world.clock.now());
  const source = await world.begin();
  const { providers } = source.current();
  assert.deepEqual([...providers.keys()], ["off"]);
  assert.deepEqual(providers.get("off")?.keys, []);
  const [row] = await loadProviderRows(world.database.sql);
  assert.deepEqual(row?.keys, [], "its secrets are not even read");
});

test("a misconfigured row is logged, reported, and does not stop the others", async () => {
  await using world = await start();
  await world.insert("good");
  const { id } = await world.insert("bad", { baseUrl: "nonsense" });
  const source = await world.begin();
  assert.deepEqual([...source.current().providers.keys()], ["good"]);
  const error = "base URL: An absolute http or https URL.";
  assert.equal(source.errorOf(id), error);
  assert.deepEqual(world.lines.filter(({ level }) => level === "error"), [
    {
      level: "error",
      fields: { provider_id: id, provider_name: "bad", provider_type: "openai", error },
      message: "skipping misconfigured ai provider",
    },
  ]); // prettier-ignore
  assert.equal(world.lines.filter(({ level }) => level === "warn").length, 0);
  const shown = await world.metrics.render();
  assert.match(
    shown,
    /provider_info\{provider_name="bad",provider_type="openai",status="error"\} 1/,
  );
});

test("a warning says when all enabled providers failed, and not when there is none", async () => {
  await using world = await start();
  const source = await world.begin();
  assert.deepEqual(world.lines.filter(({ level }) => level === "warn"), []); // prettier-ignore
  await world.insert("bad", { baseUrl: "nonsense" });
  await source.refresh();
  assert.deepEqual(
    world.lines.filter(({ level }) => level === "warn").map(({ message }) => message),
    ["all enabled ai providers failed to build; daemon will start with zero providers"],
  );
});

test("a failed read keeps the snapshot, is logged once, and the poll heals it", async () => {
  await using world = await start();
  await world.insert("one");
  const source = await world.begin();
  const before = source.current();
  const rename = (from: string, to: string) =>
    text`alter table ${text.table(from)} rename to ${text.table(to)}`.execute(world.database.sql);
  await rename("ai_providers", "hidden");
  await source.refresh();
  await source.refresh();
  assert.equal(source.current(), before);
  assert.deepEqual(
    world.lines.filter(({ level }) => level === "error").map(({ message }) => message),
    ["load ai providers failed; the latest ones stay"],
  );
  await rename("hidden", "ai_providers");
  await world.insert("two");
  await world.clock.advance(POLL_MS);
  await until(() => source.current().providers.size === 2);
  assert(world.lines.some(({ message }) => message === "ai providers can be read again"));
});

test("metrics tell when providers were read, when that went well, and which there are then", async () => {
  await using world = await start();
  const { id } = await world.insert("one");
  await world.insert("two", { enabled: false });
  const source = await world.begin();
  const shown = async () => {
    const lines = (await world.metrics.render()).split("\n");
    const valueOf = (name: string) =>
      Number(lines.find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
    return {
      attemptedAt: valueOf("atelier_providers_last_reload_timestamp_seconds"),
      succeededAt: valueOf("atelier_providers_last_reload_success_timestamp_seconds"),
      info: lines.filter((line) => line.startsWith("atelier_provider_info{")),
    };
  };
  const seconds = () => world.clock.now().getTime() / 1_000;
  const one =
    'atelier_provider_info{provider_name="one",provider_type="openai",status="enabled"} 1';
  const two =
    'atelier_provider_info{provider_name="two",provider_type="openai",status="disabled"} 1';
  const first = { attemptedAt: seconds(), succeededAt: seconds(), info: [one, two] };
  assert.deepEqual(await shown(), first);

  await text`alter table ai_providers rename to hidden`.execute(world.database.sql);
  await world.clock.advance(1_000);
  await source.refresh();
  assert.deepEqual(await shown(), { ...first, attemptedAt: seconds() });

  await text`alter table hidden rename to ai_providers`.execute(world.database.sql);
  await deleteModelProvider(world.database.sql, id, world.clock.now());
  await world.clock.advance(1_000);
  await source.refresh();
  assert.deepEqual(await shown(), { attemptedAt: seconds(), succeededAt: seconds(), info: [two] });
});

test("without a database it begins empty and takes over when there is one", async () => {
  await using world = await start();
  await text`alter table ai_provider_changes rename to hidden`.execute(world.database.sql);
  const source = await world.begin();
  assert.equal(source.current().providers.size, 0);
  await text`alter table hidden rename to ai_provider_changes`.execute(world.database.sql);
  await world.insert("one");
  await world.clock.advance(POLL_MS);
  await until(() => source.current().providers.size === 1);
});

test("a change on one server serves on another at once when told of it, and with the next poll when not", async () => {
  await using world = await start();
  await using tasks = new Tasks(silentLogger);
  const { database } = world;
  const deps = { random: systemRandom, log: silentLogger };
  const options = { connection: database.connection, applicationName: "test" };
  await using pubSub = startPubSub(options, { ...deps, clock: systemClock });
  const deaf = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };
  const begin = (from: Pick<PubSub, "subscribe">, clock: FakeClock) =>
    startProviderSnapshots({
      ...deps,
      clock,
      database,
      pubSub: from,
      vault,
      metrics: createMetrics(),
      tasks,
      isByokAllowed: true,
    });
  // For the one that is told no time passes.
  const told = await begin(pubSub, new FakeClock());
  const untold = await begin(deaf, world.clock);
  await until(() => told.current().version === 2); // It listens from now on.
  await world.insert("one");
  await publish(database.sql, PROVIDERS_CHANNEL, "");
  await until(() => told.current().providers.has("one"));
  assert.equal(untold.current().providers.has("one"), false);
  await world.clock.advance(POLL_MS);
  await until(() => untold.current().providers.has("one"));
});
