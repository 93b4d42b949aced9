/** Viewers of the server that changes a chat: told of it by what that wrote, and of all else as ever. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Result } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { createChatMachine } from "../state/chat-machine-actions.ts";
import type { ChatFence, LockedChat, TransitionFailure } from "../state/chat-machine.ts";
import type { NewMessage } from "../state/chat-row.ts";
import { findChat } from "../state/chat-store.ts";
import {
  callOf,
  chatWorld,
  DYNAMIC_TOOL,
  fenceOf,
  must,
  SAYS,
  takingWorker,
  type ChatWorld,
} from "../state/chat-world-testkit.ts";
import { server, watch } from "./chat-viewers-testkit.ts";

const ALONE = { conditions: [], writes: [] };
const RETRY = { attempt: 1, delay_ms: 1, error: "busy", retrying_at: "2026-01-01T00:00:00Z" };
const TO_MODEL: NewMessage = { ...SAYS, visibility: "model" };

/** A server that drives what is sent to it, and tells its own viewers. */
async function driving(world: ChatWorld) {
  const { database } = world;
  const here = await server(world);
  const ownWorker = takingWorker({ workerId: here.workerId, runnerId: randomUUID() });
  const deps = { database, clock: systemClock, ownWorker, ownViewers: here.viewers };
  return { here, machine: createChatMachine(deps) };
}

/** What viewers read from now on. */
function readingsIn(t: TestContext, world: ChatWorld) {
  const queries = t.mock.method(world.database.pool, "query");
  const readings = () =>
    queries.mock.calls.filter(({ arguments: [query] }) => {
      const { name } = query as { readonly name?: string };
      return name === "read_chat_view";
    });
  return {
    count: () => readings().length,
    /** Whoever begins to listen reads once more: that is over then. */
    settled: async (here: Server) => {
      await announced(here, world);
      await Promise.all(readings().map(({ result }) => result as unknown));
      await setImmediate();
    },
  };
}

test("whatever a server makes of a chat, its viewers are told what those elsewhere read", async () => {
  await using world = await chatWorld();
  const { here, machine } = await driving(world);
  await using _ = here;
  await using there = await server(world);
  const { chat } = must(await machine.create(world.newChat({ dynamicTools: [DYNAMIC_TOOL] })));
  must(await machine.change(chat.id, (locked) => locked.finishTurn()));
  const [own, other] = [watch(here.viewers, chat.id), watch(there.viewers, chat.id)];
  const told = async (change: () => Promise<unknown>): Promise<void> => {
    const before = other.screen.events.length;
    await change();
    await other.screen.until(() => other.screen.events.length > before);
    await own.screen.until(() => own.screen.events.length >= other.screen.events.length);
    assert.deepEqual(own.screen.events, other.screen.events);
  };
  for (const { screen } of [own, other]) await screen.until(() => screen.status === "waiting");
  await told(() => machine.sendAtRest(chat.id, world.user("and?"), ALONE));
  await told(async () => {
    const fence = await fenceNow(world, chat.id);
    must(await machine.commitStepFenced(chat.id, fence, [TO_MODEL, SAYS], { beside: null }));
  });
  const changes: readonly ((locked: LockedChat) => Promise<Result<unknown, TransitionFailure>>)[] =
    [
      (locked) => locked.recordRetryState(RETRY),
      (locked) => locked.recordGenerationAttempt(),
      (locked) => locked.commitStep([TO_MODEL, SAYS]),
      (locked) => locked.finishError({ message: "broke", retryable: false }),
      (locked) => locked.sendMessage(world.user("again"), "queue"),
      (locked) => locked.commitStep([{ role: "assistant", content: [callOf("1")] }]),
      (locked) => locked.enterRequiresAction(),
      (locked) => locked.cancelRequiresAction("nobody answered"),
      (locked) => locked.sendMessage(world.user("later"), "queue"),
      (locked) => locked.interrupt("stop"),
      (locked) => locked.finishInterruption([SAYS]),
      (locked) => locked.finishTurn(),
      (locked) =>
        locked.editMessage(own.screen.messages.keys().next().value ?? 0, world.user("no")),
    ];
  for (const change of changes) {
    await told(async () => must(await machine.change(chat.id, change)));
  }
  assert.deepEqual([...own.screen.messages], [...other.screen.messages]);
  for (const each of [own, other]) each.stop();
});

test("a turn that a server drives is read by none of its viewers", async (t) => {
  await using world = await chatWorld();
  const { here, machine } = await driving(world);
  await using _ = here;
  const { id } = await world.chatIn("W");
  const readings = readingsIn(t, world);
  const { screen, stop } = watch(here.viewers, id);
  await screen.until(() => screen.status === "waiting");
  await readings.settled(here);
  const before = readings.count();
  assert.notEqual(await machine.sendAtRest(id, world.user("and?"), ALONE), null);
  await screen.until(() => screen.status === "running");
  const fence = await fenceNow(world, id);
  must(await machine.commitStepFenced(id, fence, [SAYS], { beside: null }));
  must(await machine.change(id, (locked) => locked.finishTurn()));
  await screen.until(() => screen.status === "waiting");
  assert.equal([...screen.messages.values()].at(-1), "well");
  // Its announcements came, too: they are known by now.
  await announced(here, world);
  assert.equal(readings.count(), before);
  // What another server does is read.
  must(await world.machine.change(id, (locked) => locked.sendMessage(world.user("or?"), "queue")));
  await screen.until(() => screen.status === "running");
  assert.equal(readings.count(), before + 1);
  stop();
});

test("what somebody else makes of a chat meanwhile waits, but not for one whose answer does not come", async (t) => {
  await using world = await chatWorld();
  await using here = await server(world);
  const { id } = await world.chatIn("W");
  const readings = readingsIn(t, world);
  const { screen, stop } = watch(here.viewers, id);
  await screen.until(() => screen.status === "waiting");
  await readings.settled(here);
  const hangs = Promise.withResolvers<void>();
  const write = here.viewers.during(id, () => hangs.promise);
  const startedMs = performance.now();
  must(await world.machine.change(id, (locked) => locked.sendMessage(world.user("or?"), "queue")));
  await screen.until(() => screen.status === "running");
  assert.ok(performance.now() - startedMs > 200);
  must(await world.machine.change(id, (locked) => locked.finishTurn()));
  await announced(here, world);
  assert.equal(screen.status, "running");
  hangs.resolve();
  await write;
  await screen.until(() => screen.status === "waiting");
  stop();
});

async function fenceNow({ database }: ChatWorld, chatId: string): Promise<ChatFence> {
  return fenceOf((await findChat(database.sql, chatId)) ?? assert.fail("the chat is there"));
}

/** All that was announced before is heard by now: one listener hears everything in its order. */
async function announced({ pubSub }: Server, { database }: ChatWorld): Promise<void> {
  const heard = Promise.withResolvers<void>();
  let isHeard = false;
  using _ = pubSub.subscribe("all_before", {
    message: () => {
      isHeard = true;
      heard.resolve();
    },
    resync: () => {},
  });
  // It may not listen yet.
  const { signal } = new AbortController();
  while (!isHeard) {
    await database.pool.query("select pg_notify('all_before', '')");
    await Promise.race([heard.promise, systemClock.sleep(20, signal)]);
  }
}

type Server = Awaited<ReturnType<typeof server>>;
