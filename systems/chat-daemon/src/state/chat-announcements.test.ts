import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { fail } from "@atelier/base/result";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { startPubSub } from "@atelier/database/pub-sub";
import { toChatUpdate } from "./announcement-store.ts";
import { CHAT_OWNERSHIP_CHANNEL, chatUpdateChannel, chatWatchChannel } from "./chat-machine.ts";
import { createChatMachine } from "./chat-machine-actions.ts";
import { findChat } from "./chat-store.ts";
import { parseChatUpdate } from "./chat-update.ts";
import {
  callOf,
  chatWorld,
  DYNAMIC_TOOL,
  must,
  SAYS,
  takingWorker,
  type ChatWorld,
} from "./chat-world-testkit.ts";

test("each change is told once, with what it left, to whom it concerns", async () => {
  await using world = await chatWorld();
  const newChat = world.newChat();
  await using told = await listen(world, newChat.id);
  const { machine } = world;
  must(await machine.create(newChat));
  assert.deepEqual(await told.next(), ["update", "ownership", "watch created"]);

  const owner = { workerId: randomUUID(), runnerId: randomUUID() };
  const acquired = (await machine.acquire(newChat.id, owner)) ?? assert.fail("it is free");
  assert.deepEqual(await told.next(), ["update"]);
  const fence = { ...owner, historyVersion: acquired.historyVersion, status: acquired.status };
  must(await machine.recordAttemptFenced(newChat.id, fence));
  assert.deepEqual(await told.next(), ["update"]);
  must(await machine.commitStepFenced(newChat.id, fence, [SAYS]));
  assert.deepEqual(await told.next(), ["update"]);

  must(
    await machine.change(newChat.id, async (chat) => {
      must(
        await chat.commitStep([
          { role: "assistant", content: [callOf("call", DYNAMIC_TOOL.name)] },
        ]),
      );
      return chat.enterRequiresAction();
    }),
  );
  assert.deepEqual(await told.next(), ["update", "watch action_required", "watch status_change"]);
  // Nobody's any more, while it still wants a worker.
  must(await machine.change(newChat.id, (chat) => chat.abandon()));
  assert.deepEqual(await told.next(), ["update", "ownership"]);
  const next = { ...owner, runnerId: randomUUID() };
  const again = (await machine.acquire(newChat.id, next)) ?? assert.fail("it is free");
  await told.next();
  const { historyVersion, status } = again;
  must(await machine.abandonFenced(newChat.id, { ...next, historyVersion, status }));
  assert.deepEqual(await told.next(), ["update", "ownership"]);
  must(await machine.change(newChat.id, (chat) => chat.interrupt("stop")));
  assert.deepEqual(await told.next(), ["update", "ownership", "watch status_change"]);
  must(await machine.change(newChat.id, (chat) => chat.finishTurn()));
  assert.deepEqual(await told.next(), ["update", "watch status_change"]);

  const alone = { conditions: [], writes: [] };
  assert.ok(await machine.sendAtRest(newChat.id, world.user("and?"), alone));
  assert.deepEqual(await told.next(), ["update", "ownership", "watch status_change"]);
  must(await machine.change(newChat.id, (chat) => chat.finishTurn()));
  await told.next();
  const { database } = world;
  const taking = createChatMachine({ database, clock: systemClock, ownWorker: takingWorker() });
  assert.ok(await taking.sendAtRest(newChat.id, world.user("and?"), alone));
  assert.deepEqual(await told.next(), ["update", "watch status_change"]);
});

test("a change that fails is not told", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R0");
  await using told = await listen(world, id);
  await world.machine.change(id, async (chat) => {
    must(await chat.finishTurn());
    return fail("no");
  });
  must(await world.machine.change(id, (chat) => chat.recordGenerationAttempt()));
  assert.deepEqual(await told.next(), ["update", "ownership"]);
});

test("a runner whose lease has ended is no owner: servers are told", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("R0");
  await world.machine.acquire(id, { workerId: randomUUID(), runnerId: randomUUID() });
  await using told = await listen(world, id);
  must(await world.machine.change(id, (chat) => chat.recordGenerationAttempt()));
  assert.deepEqual(await told.next(), ["update"]);
  await world.database.pool.query(
    "update chat_heartbeats set heartbeat_at = now() - interval '1 minute'",
  );
  must(await world.machine.change(id, (chat) => chat.recordGenerationAttempt()));
  assert.deepEqual(await told.next(), ["update", "ownership"]);
});

test("what another version of the server says is not understood, and not believed", () => {
  for (const payload of ["", "{}", "null", '{"chat_id":1}']) {
    assert.equal(parseChatUpdate(payload), null);
  }
});

type Told = AsyncDisposable & {
  /** What was told since, up to and including the newest version. */
  next(): Promise<readonly string[]>;
};

async function listen(world: ChatWorld, chatId: string): Promise<Told> {
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger };
  const { connection } = world.database;
  const pubSub = startPubSub({ connection, applicationName: "announcements test" }, deps);
  let heard: string[] = [];
  let flushed = Promise.withResolvers<void>();
  const on = async (channel: string, message: (payload: string) => void): Promise<void> => {
    const listening = Promise.withResolvers<void>();
    pubSub.subscribe(channel, { message, resync: () => listening.resolve() });
    await listening.promise;
  };
  await on(chatUpdateChannel(chatId), (payload) => {
    const update = parseChatUpdate(payload) ?? assert.fail(payload);
    heard.push(`update ${JSON.stringify(update)}`);
  });
  await on(CHAT_OWNERSHIP_CHANNEL, (payload) => {
    const { chat_id } = JSON.parse(payload) as { chat_id: string };
    if (chat_id === chatId) heard.push("ownership");
  });
  await on(chatWatchChannel(world.ownerId), (payload) => {
    const { kind, chat_id } = JSON.parse(payload) as { kind: string; chat_id: string };
    if (chat_id === chatId) heard.push(`watch ${kind}`);
  });
  await on("flush", () => flushed.resolve());
  return {
    async next() {
      // Notifications keep the order of commits.
      await world.database.pool.query("select pg_notify('flush', '')");
      await flushed.promise;
      flushed = Promise.withResolvers();
      const all = heard;
      heard = [];
      const row = (await findChat(world.database.sql, chatId)) ?? assert.fail("it is there");
      const updates = all.filter((each) => each.startsWith("update"));
      assert.deepEqual(updates, [`update ${JSON.stringify(toChatUpdate(row))}`]);
      const rest = all.filter((each) => !each.startsWith("update")).toSorted();
      return ["update", ...rest];
    },
    [Symbol.asyncDispose]: () => pubSub[Symbol.asyncDispose](),
  };
}
