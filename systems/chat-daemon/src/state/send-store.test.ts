import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { systemClock } from "@atelier/base/system-clock";
import type { TextRow } from "@atelier/database/text-statement";
import { FakeClock } from "@atelier/testkit/fake-clock";
import type { ChatMachine, SendBeside } from "./chat-machine.ts";
import { createChatMachine } from "./chat-machine-actions.ts";
import type { ChatRow, NewMessage, StoredMessage, UserMessage } from "./chat-row.ts";
import { findChat } from "./chat-store.ts";
import {
  boundary,
  callOf,
  chatWorld,
  fenceOf,
  must,
  SAYS,
  takingWorker,
} from "./chat-world-testkit.ts";
import { EXECUTION_STATES } from "./execution-state.ts";
import { isLeaseAlive } from "./heartbeat-store.ts";

const ALONE: SendBeside = { conditions: [], writes: [] };
const RETRY = { attempt: 1, delay_ms: 1, error: "busy", retrying_at: "2026-01-01T00:00:00Z" };

test("a message sent at once leaves the chat as the transition of its name does, with the taking and the first attempt behind it", async () => {
  const clock = new FakeClock();
  await using world = await chatWorld({ queueMax: 20, clock });
  const { database } = world;
  const model = await world.addModel();
  const worker = takingWorker();
  const besideTaken = {
    name: "test",
    text: "json_build_object('model', chats.last_model_config_id)",
    version: "''::text",
  };
  const machine = createChatMachine({ database, clock, ownWorker: worker, besideTaken });
  for (const state of ["W", "E0"] as const) {
    for (const more of [{}, { modelConfigId: model, reasoningEffort: "high" as const }]) {
      for (const attempts of [0, 2]) {
        const [atOnce, bySteps] = [await world.chatIn(state), await world.chatIn(state)];
        for (const { id } of [atOnce, bySteps]) await triedBefore(world, id, { state, attempts });
        const message = world.user("and?", { apiKeyId: null, ...more });
        const entered = await machine.sendAtRest(atOnce.id, message, ALONE);
        assert.ok(entered !== null);
        const sent = must(
          await world.machine.change(bySteps.id, (chat) => chat.sendMessage(message, "queue")),
        );
        assert.ok(sent.kind === "inserted");
        const { id: _, chatId: __, ...slow } = sent.messages[0] ?? assert.fail("it is there");
        assert.deepEqual(entered, { ...slow, id: entered.id, chatId: atOnce.id });
        // Acquire and the attempt, in transactions of their own, raise the version once more each.
        const taken = await world.machine.acquire(bySteps.id, OTHER);
        must(await world.machine.change(bySteps.id, (chat) => chat.recordGenerationAttempt()));
        const [one, two] = [await plain(world, atOnce.id), await plain(world, bySteps.id)];
        assert.deepEqual(one, { ...two, version: two.version - 2 }, `${state} ${attempts}`);
        const row = await read(world, atOnce.id);
        assert.deepEqual([row.historyVersion, row.generationAttempt], [row.snapshotVersion, 1]);
        assert.deepEqual(worker.heard.at(-1), row);
        const fence = fenceOf(row);
        // Whoever reads it later finds an attempt that began before.
        const begun = must(await machine.beginFenced(atOnce.id, fence, besideTaken));
        assert.deepEqual([begun.attempt, begun.chat.generationAttempt], [null, 1]);
        const before = { ...begun.chat, generationAttempt: 0 };
        assert.deepEqual(worker.read.at(-1), { ...begun, attempt: 1, chat: before });
        assert.equal(row.fence, taken?.fence);
        assert.equal(await isLeaseAlive(database.sql, leaseOf(row)), true);
      }
    }
  }
});

const SUMMARY = boundary();
const OTHER = { workerId: randomUUID(), runnerId: randomUUID() };

test("a message to a chat that is driven goes to who drives it", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("W");
  const driver = { workerId: randomUUID(), runnerId: randomUUID() };
  await world.database.pool.query(
    `with driven as (
       update chats set worker_id = $2, runner_id = $3, snapshot_version = snapshot_version + 1
       where id = $1)
     insert into chat_heartbeats (chat_id, runner_id, heartbeat_at) values ($1, $3, now())`,
    [id, driver.workerId, driver.runnerId],
  );
  const { fence } = await read(world, id);
  const { database } = world;
  const deps = { database, clock: new FakeClock(), ownWorker: takingWorker() };
  const machine = createChatMachine(deps);
  assert.ok(await machine.sendAtRest(id, world.user("and?"), ALONE));
  const row = await read(world, id);
  assert.deepEqual([row.workerId, row.runnerId, row.fence], [...Object.values(driver), fence]);
  assert.equal(row.generationAttempt, 0);
});

test("a message at once does nothing where the transition would do more, or none is allowed", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const refuses = async (id: string, message: UserMessage, beside = ALONE): Promise<void> => {
    const before = await plain(world, id);
    assert.equal(await machine.sendAtRest(id, message, beside), null);
    assert.deepEqual(await plain(world, id), before);
  };
  for (const state of EXECUTION_STATES) {
    if (state === "W" || state === "E0" || state === "invalid") continue;
    await refuses((await world.chatIn(state)).id, world.user("and?"));
  }
  const resting = await world.chatIn("W");
  const no = {
    conditions: [
      { name: "first", text: (first: number) => `$${first}::text = 'yes'`, values: ["yes"] },
      { name: "second", text: (first: number) => `$${first}::text = 'yes'`, values: ["no"] },
    ],
    writes: [],
  };
  await refuses(resting.id, world.user("and?"), no);
  const file = { type: "file", file_id: await world.addFile(), media_type: "text/plain" } as const;
  await refuses(resting.id, world.user("and?", { content: [file] }));
  assert.equal(await machine.sendAtRest(randomUUID(), world.user("and?"), ALONE), null);
  assert.ok(await machine.sendAtRest(resting.id, world.user("and?"), ALONE));
});

test("calls that are open are closed first, and those that are not are none", async () => {
  await using world = await chatWorld();
  const { machine } = world;
  const result = (id: string): NewMessage => ({
    role: "tool",
    content: [{ type: "tool-result", tool_call_id: id, tool_name: "a", result: "" }],
  });
  const calls = (...parts: readonly NewMessage["content"][number][]): NewMessage => ({
    role: "assistant",
    content: parts,
  });
  const ofProvider = { ...callOf("p"), provider_executed: true } as ReturnType<typeof callOf>;
  for (const { rows, isOpen } of [
    { rows: [SAYS], isOpen: false },
    { rows: [calls(callOf("a"))], isOpen: true },
    { rows: [calls(callOf("a"), callOf("b")), result("a")], isOpen: true },
    { rows: [calls(callOf("a"), callOf("b")), result("b"), result("a")], isOpen: false },
    { rows: [calls(callOf("a")), result("a"), calls(callOf("a"))], isOpen: true },
    { rows: [calls(ofProvider)], isOpen: false },
    { rows: [{ ...calls(callOf("a")), visibility: "user" as const }], isOpen: false },
    { rows: [calls(callOf("a")), ...boundary()], isOpen: false },
  ]) {
    const { id } = await world.chatIn("R0");
    must(await machine.change(id, (chat) => chat.commitStep(rows)));
    must(await machine.change(id, (chat) => chat.finishTurn()));
    const sent = await machine.sendAtRest(id, world.user("and?"), ALONE);
    assert.equal(sent === null, isOpen, JSON.stringify(rows));
  }
});

test("of messages at the same time each is kept once, whichever way it takes", async () => {
  await using world = await chatWorld({ queueMax: 100 });
  const { machine } = world;
  const { id, snapshotVersion } = await world.chatIn("W");
  await Promise.all(
    Array.from({ length: 12 }, async (_, number) => {
      const message = world.user(`message ${number}`);
      if ((await machine.sendAtRest(id, message, ALONE)) !== null) return;
      must(await machine.change(id, (chat) => chat.sendMessage(message, "queue")));
    }),
  );
  const row = await read(world, id);
  assert.deepEqual([row.status, row.queueLength], ["running", 11]);
  assert.equal(row.snapshotVersion, snapshotVersion + 12);
});

test("a message that waits for the chat's lock knows what was written meanwhile", async () => {
  await using world = await chatWorld();
  const { machine, database } = world;
  const { id } = await world.chatIn("W");
  const [isHeld, isSeen] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const changing = machine.change(id, async (chat) => {
    must(await chat.sendMessage(world.user("first"), "queue"));
    must(await chat.commitStep([{ role: "assistant", content: [callOf("open")] }]));
    isHeld.resolve();
    await isSeen.promise;
    return chat.finishTurn();
  });
  await isHeld.promise;
  const sending = machine.sendAtRest(id, world.user("and?"), ALONE);
  for (;;) {
    const { rows } = await database.pool.query(
      "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%resting%'",
    );
    if (rows.length > 0) break;
  }
  isSeen.resolve();
  must(await changing);
  // The chat rests as before, with a call that was not open when the message came.
  assert.equal(await sending, null);
  assert.equal((await read(world, id)).status, "waiting");
});

test("of a chat that this server left nothing is read again, unless somebody else was there", async (t) => {
  await using world = await chatWorld();
  const { database } = world;
  const worker = takingWorker();
  const machine = createChatMachine({ database, clock: systemClock, ownWorker: worker });
  const elsewhere = createChatMachine({ database, clock: systemClock });
  const { id } = await world.chatIn("W");
  const queries = t.mock.method(database.pool, "query");
  const send = async () => {
    const entered = await machine.sendAtRest(id, world.user("and?"), ALONE);
    if (entered === null) return null;
    const asked = queries.mock.calls.at(-1)?.result as unknown as Promise<readonly TextRow[]>;
    const rows = await asked;
    assert.deepEqual(worker.read.at(-1)?.messages, await historyOf(world, id));
    return rows[0]?.[3] === null;
  };
  const answer = async (by: ChatMachine, said: NewMessage) => {
    const done = await by.change(id, async (chat) => {
      must(await chat.commitStep([said]));
      return chat.finishTurn();
    });
    must(done);
    await database.pool.query("delete from chat_heartbeats");
  };
  assert.equal(await send(), false);
  await answer(machine, SAYS);
  assert.equal(await send(), true);
  await answer(machine, SAYS);
  assert.equal(await send(), true);
  // Another server ends the turn, and another one asks.
  await answer(elsewhere, SAYS);
  assert.equal(await send(), false);
  await answer(machine, SAYS);
  must(await elsewhere.change(id, (chat) => chat.sendMessage(world.user("or?"), "queue")));
  await answer(elsewhere, { role: "assistant", content: [callOf("open")] });
  // Its call is open: that is for the transition.
  assert.equal(await send(), null);
});

test("rows of the request are written with the message, or neither is; in one round trip", async (t) => {
  await using world = await chatWorld();
  const { machine, database } = world;
  const { id } = await world.chatIn("W");
  const keyed = (name: string) => ({
    name,
    text: (first: number, message: string) =>
      `insert into chat_request_keys (owner_id, operation, key, input_hash, answer, created_at)
       select $${first}::uuid, 'send_message', $${first + 1}::text, '', to_jsonb(${message}.id), now()
       from ${message}`,
    values: [world.ownerId, name],
  });
  const writes = [keyed("one"), keyed("two")];
  const queries = t.mock.method(database.pool, "query");
  const entered = await machine.sendAtRest(id, world.user("and?"), { conditions: [], writes });
  assert.equal(queries.mock.callCount(), 1);
  const { rows } = await database.pool.query(
    "select key, answer from chat_request_keys order by key",
  );
  assert.deepEqual(rows, [
    { key: "one", answer: entered?.id },
    { key: "two", answer: entered?.id },
  ]);
  must(await machine.change(id, (chat) => chat.finishTurn()));
  const before = await plain(world, id);
  await assert.rejects(
    machine.sendAtRest(id, world.user("and?"), { conditions: [], writes }),
    /chat_request_keys_pkey/,
  );
  assert.deepEqual(await plain(world, id), before);
});

test("what is read beside a chat is read again when it has changed, and only then", async (t) => {
  await using world = await chatWorld();
  const { database } = world;
  const worker = takingWorker();
  const besideTaken = {
    ...{ name: "files", text: "(select to_json(count(*)) from chat_files)" },
    version: "(select count(*)::text from chat_settings)",
  };
  const machine = createChatMachine({
    database,
    clock: systemClock,
    ownWorker: worker,
    besideTaken,
  });
  const { id } = await world.chatIn("W");
  const queries = t.mock.method(database.pool, "query");
  const changeVersion = async () =>
    database.pool.query("insert into chat_settings values (gen_random_uuid()::text, '1', now())");
  /** How often the database was asked, and what was read beside. */
  const asked = async (work: () => Promise<unknown>) => {
    queries.mock.resetCalls();
    await work();
    const statements = queries.mock.callCount();
    return [statements, worker.read.at(-1)?.beside];
  };
  const step = async () => {
    const fence = fenceOf(await read(world, id));
    return asked(async () =>
      must(await machine.commitStepFenced(id, fence, [SAYS], { beside: besideTaken })),
    );
  };
  const send = async (more: Partial<UserMessage> = {}) => {
    must(await machine.change(id, (chat) => chat.finishTurn()));
    await database.pool.query("delete from chat_heartbeats");
    return asked(async () =>
      assert.ok(await machine.sendAtRest(id, world.user("and?", more), ALONE)),
    );
  };
  assert.ok(await machine.sendAtRest(id, world.user("and?"), ALONE));
  assert.deepEqual(
    [await step(), await send()],
    [
      [1, 0],
      [1, 0],
    ],
  );
  await world.addFile();
  assert.deepEqual(
    [await step(), await send()],
    [
      [1, 0],
      [1, 0],
    ],
    "its version says nothing of it",
  );
  await changeVersion();
  assert.deepEqual(
    [await step(), await step(), await send()],
    [
      [2, 1],
      [1, 1],
      [1, 1],
    ],
  );
  await world.addFile();
  await changeVersion();
  assert.deepEqual(
    [await send(), await send(), await step()],
    [
      [2, 2],
      [1, 2],
      [1, 2],
    ],
  );
  // Of another model, something else may be read.
  await world.addFile();
  assert.deepEqual(
    [await send({ modelConfigId: await world.addModel() }), await send()],
    [
      [1, 3],
      [1, 3],
    ],
  );
  await database.pool.query("update chats set last_model_config_id = $2 where id = $1", [
    id,
    await world.addModel(),
  ]);
  await world.addFile();
  assert.deepEqual(
    [await step(), await send()],
    [
      [2, 4],
      [1, 4],
    ],
  );
});

/** Of a chat that is driven, by whoever knows nothing of it. */
async function historyOf(world: World, chatId: string): Promise<readonly StoredMessage[]> {
  const stranger = createChatMachine({ database: world.database, clock: systemClock });
  const fence = fenceOf(await read(world, chatId));
  return must(await stranger.readFenced(chatId, fence)).messages;
}

type World = Awaited<ReturnType<typeof chatWorld>>;

/** As a turn left it that had to be tried again. Counters stay when it ends. */
async function triedBefore(
  { machine, user }: World,
  chatId: string,
  { state, attempts }: { readonly state: "W" | "E0"; readonly attempts: number },
): Promise<void> {
  if (attempts === 0) return;
  must(await machine.change(chatId, (chat) => chat.sendMessage(user("tried"), "queue")));
  must(await machine.change(chatId, (chat) => chat.commitStep(SUMMARY)));
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    must(await machine.change(chatId, (chat) => chat.recordGenerationAttempt()));
  }
  must(await machine.change(chatId, (chat) => chat.recordRetryState(RETRY)));
  const error = { message: "broke", retryable: false };
  must(
    await machine.change(chatId, (chat) =>
      state === "W" ? chat.finishTurn() : chat.finishError(error),
    ),
  );
}

async function read({ database }: World, chatId: string): Promise<ChatRow> {
  return (await findChat(database.sql, chatId)) ?? assert.fail("the chat is there");
}

function leaseOf({ id: chatId, runnerId }: ChatRow): { chatId: string; runnerId: string } {
  return { chatId, runnerId: runnerId ?? assert.fail("it has a runner") };
}

/** All columns of the chat and its messages, without those that differ from chat to chat. */
async function plain({ database }: World, chatId: string) {
  const { rows } = await database.pool.query<{ version: number; columns: unknown }>(
    `select snapshot_version as version, json_build_object(
       'chat', to_jsonb(chats) - 'id' - 'worker_id' - 'runner_id' - 'snapshot_version' - 'last_answer_id',
       'owned', runner_id is not null, 'messages', (
         select json_agg(to_jsonb(m) - 'id' - 'chat_id' order by m.id)
         from chat_messages m where m.chat_id = chats.id)) as columns
     from chats where id = $1`,
    [chatId],
  );
  return rows[0] ?? { version: 0, columns: null };
}
