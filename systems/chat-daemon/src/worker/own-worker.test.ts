/** What a server does with chats whose messages came to it, without hearing of them from the database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { PubSub } from "@atelier/database/pub-sub";
import type { ChatLimits } from "../state/acquisition-store.ts";
import { createChatMachine } from "../state/chat-machine-actions.ts";
import type { ChatMachine, OwnWorker, ReadChat } from "../state/chat-machine.ts";
import type { ChatRow } from "../state/chat-row.ts";
import { findChat } from "../state/chat-store.ts";
import { chatWorld, fenceOf, must, type ChatWorld } from "../state/chat-world-testkit.ts";
import { NOTHING_BESIDE } from "../state/history-store.ts";
import { ReadHistories } from "../state/read-histories.ts";
import { sendAtOnce } from "../state/send-store.ts";
import { startChatWorker, type ChatWorker } from "./chat-worker-task.ts";
import type { RunnerTaskContext, RunnerTasks } from "./runner-tasks.ts";

const ALONE = { conditions: [], writes: [] };

test("the server that takes a message drives its chat at once, and hears its own changes", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("W");
  const tasks: string[] = [];
  const signals: AbortSignal[] = [];
  const note = (name: string) => async (context: RunnerTaskContext) => {
    tasks.push(`${name} under ${context.fence}`);
    signals.push(context.signal);
    await aborted(context.signal);
  };
  // What the chat has moved on from is cut off, and nothing else.
  const cutOff = () => signals.map((signal) => signal.aborted);
  await using server = startServer(world, {
    runGeneration: note("generation"),
    runInterrupt: note("interruption"),
  });
  assert.ok(await server.machine.sendAtRest(id, world.user("and?"), ALONE));
  assert.deepEqual(tasks, ["generation under 1"]);
  must(await server.machine.change(id, (chat) => chat.recordGenerationAttempt()));
  must(await server.machine.change(id, (chat) => chat.sendMessage(world.user("later"), "queue")));
  assert.deepEqual([tasks.length, cutOff()], [1, [false]]);
  const row = await read(world, id);
  const { runnerId, historyVersion, status } = row;
  assert.equal(row.workerId, server.worker.workerId);
  const fence = { runnerId: runnerId ?? "", historyVersion, status };
  const step = [{ role: "assistant", content: [{ type: "text", text: "so" }] }] as const;
  must(await server.machine.commitStepFenced(id, fence, step));
  assert.deepEqual(tasks.slice(1), ["generation under 1"]);
  assert.deepEqual(cutOff(), [true, false]);
  must(await server.machine.change(id, (chat) => chat.interrupt("stop")));
  assert.deepEqual(tasks.slice(2), ["interruption under 1"]);
  assert.deepEqual(cutOff(), [true, true, false]);
});

test("a runner goes on from what its step read, also where it hears of the step before", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("W");
  const reads: (ReadChat | null)[] = [];
  const signals: AbortSignal[] = [];
  await using server = startServer(world, {
    ...NEVER,
    runGeneration: async ({ takeRead, signal }) => {
      reads.push(takeRead());
      signals.push(signal);
      await aborted(signal);
    },
  });
  const { machine, worker } = server;
  const hasRead = (times: number): boolean => reads.length === times;
  assert.ok(await machine.sendAtRest(id, world.user("and?"), ALONE));
  const row = await read(world, id);
  const fence = fenceOf(row);
  const step = [{ role: "assistant", content: [{ type: "text", text: "so" }] }] as const;
  const moved = { ...row, historyVersion: row.historyVersion + 1, generationAttempt: 1 };
  const announced = { ...moved, snapshotVersion: row.snapshotVersion + 1 };
  const commit = async (): Promise<null> => {
    worker.hear(announced);
    assert.deepEqual([reads.length, signals[0]?.aborted], [1, false]);
    must(await machine.commitStepFenced(id, fence, step, { beside: null }));
    assert.equal(reads.length, 2);
    return null;
  };
  await worker.stepping(fence.runnerId, commit, null);
  assert.equal(reads.length, 2);
  const [, behind] = reads;
  assert.deepEqual([behind?.attempt, behind?.messages.at(-1)?.role], [1, "assistant"]);
  assert.equal((await read(world, id)).generationAttempt, 1);
  // One whose statement failed is heard of all the same, and whatever else happens at once.
  const later = { ...announced, historyVersion: 90, snapshotVersion: 90 };
  const lost = async (): Promise<null> => {
    worker.hear(later);
    assert.equal(reads.length, 2);
    return Promise.reject(new Error("its answer was lost"));
  };
  await assert.rejects(worker.stepping(fence.runnerId, lost, null), /lost/);
  assert.deepEqual([reads.length, reads[2]], [3, null]);
  // So is one whose statement never answers.
  const latest = { ...later, historyVersion: 91, snapshotVersion: 91 };
  const answer = Promise.withResolvers<null>();
  const hanging = worker.stepping(fence.runnerId, () => answer.promise, null);
  worker.hear(latest);
  const enough = AbortSignal.timeout(30_000);
  while (!hasRead(4)) await systemClock.sleep(5, enough);
  answer.resolve(null);
  await hanging;
  const interrupted = async (): Promise<null> => {
    worker.hear({ ...latest, status: "interrupting", historyVersion: 92, snapshotVersion: 92 });
    assert.equal(signals[3]?.aborted, true);
    return Promise.resolve(null);
  };
  await worker.stepping(fence.runnerId, interrupted, null);
});

test("a call that was made ready is dropped where its runner has moved on meanwhile, or is gone", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("W");
  const ends: string[] = [];
  const headStart = () => ({
    confirm: async () => {
      ends.push("confirmed");
    },
    drop: () => {
      ends.push("dropped");
    },
  });
  await using server = startServer(world, { ...NEVER, headStart });
  const { machine, worker } = server;
  assert.ok(await machine.sendAtRest(id, world.user("and?"), ALONE));
  const chat = await read(world, id);
  const foreseen = { chat, messages: [], attempt: 1, beside: null, entered: 0 };
  const commit = (news: ChatRow) => async () => {
    worker.hear(news);
    return Promise.resolve({ chat, read: foreseen });
  };
  const { runnerId } = fenceOf(chat);
  const stopping = { ...chat, status: "interrupting", snapshotVersion: 90 } as const;
  await worker.stepping(runnerId, commit(stopping), foreseen);
  assert.deepEqual(ends.splice(0), ["confirmed", "dropped"]);
  // So is one that no task has had yet.
  const going = { ...chat, historyVersion: 95, snapshotVersion: 95 };
  const on = { ...foreseen, chat: going };
  await worker.stepping(runnerId, async () => Promise.resolve({ chat: going, read: on }), on);
  assert.deepEqual(ends.splice(0), ["confirmed"]);
  worker.hear({ ...stopping, historyVersion: 95, snapshotVersion: 96 });
  assert.deepEqual(ends.splice(0), ["dropped"]);
  const ended = async () => {
    await worker[Symbol.asyncDispose]();
    return { chat, read: foreseen };
  };
  await worker.stepping(runnerId, ended, foreseen);
  assert.deepEqual(ends, ["confirmed", "dropped"]);
});

test("where places are limited, who counts them takes the chat", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("W");
  const limits = { topLevelMax: 0, subagentsMax: null };
  await using server = startServer(world, NEVER, limits);
  assert.ok(await server.machine.sendAtRest(id, world.user("and?"), ALONE));
  const row = await read(world, id);
  assert.deepEqual([row.status, row.runnerId], ["running", null]);
});

test("a server that stops gives back also what it was just taking, and takes no more", async () => {
  await using world = await chatWorld();
  const [first, second] = [await world.chatIn("W"), await world.chatIn("W")];
  const server = startServer(world, NEVER);
  const held = Promise.withResolvers<void>();
  const sending = server.worker.taking(
    first.id,
    async (owner) => {
      assert.notEqual(owner, null);
      await held.promise;
      return send(world, first.id, owner);
    },
    null,
  );
  const stopping = server[Symbol.asyncDispose]();
  assert.ok(await server.machine.sendAtRest(second.id, world.user("and?"), ALONE));
  held.resolve();
  assert.ok(await sending);
  await stopping;
  for (const { id } of [first, second]) {
    const { status, runnerId } = await read(world, id);
    assert.deepEqual([status, runnerId], ["running", null]);
  }
  assert.deepEqual(
    [(await read(world, first.id)).fence, (await read(world, second.id)).fence],
    [1, 0],
  );
});

test("a chat that may have been taken when its message failed waits for no lease to end", async () => {
  await using world = await chatWorld();
  const { id } = await world.chatIn("W");
  await using server = startServer(world, NEVER);
  const sending = server.worker.taking(
    id,
    async (owner) => {
      await send(world, id, owner);
      throw new Error("the connection was lost behind the commit");
    },
    null,
  );
  await assert.rejects(sending, /behind the commit/);
  for (;;) {
    const { fence, runnerId } = await read(world, id);
    // Given back; the loop may have taken it again.
    if (runnerId === null || fence === 2) break;
    await systemClock.sleep(5, AbortSignal.timeout(30_000));
  }
});

const NEVER: RunnerTasks = {
  runGeneration: ({ signal }) => aborted(signal),
  runInterrupt: ({ signal }) => aborted(signal),
};

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

type Server = AsyncDisposable & { readonly worker: ChatWorker; readonly machine: ChatMachine };

function startServer({ database }: ChatWorld, tasks: RunnerTasks, limits?: ChatLimits): Server {
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger };
  const ownWorker: OwnWorker = {
    taking: (chatId, send, foreseen) => worker.taking(chatId, send, foreseen),
    hear: (chat) => worker.hear(chat),
    stepping: (runnerId, commit, foreseen) => worker.stepping(runnerId, commit, foreseen),
  };
  const machine = createChatMachine({ database, clock: systemClock, ownWorker });
  const worker = startChatWorker({ ...deps, database, pubSub: DEAF, machine, tasks }, limits);
  return { worker, machine, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
}

/** Nothing arrives from the database. */
const DEAF: PubSub = {
  isConnected: false,
  subscribe: () => ({ [Symbol.dispose]: () => {} }),
  [Symbol.asyncDispose]: async () => {},
};

async function send(
  { database, user }: ChatWorld,
  chatId: string,
  owner: Parameters<Parameters<OwnWorker["taking"]>[1]>[0],
) {
  const beside = { ...ALONE, owner, read: NOTHING_BESIDE, now: systemClock.now() };
  const reading = { pool: database.pool, histories: new ReadHistories() };
  return sendAtOnce(reading, chatId, user("and?"), beside);
}

async function read({ database }: ChatWorld, chatId: string): Promise<ChatRow> {
  return (await findChat(database.sql, chatId)) ?? assert.fail("the chat is there");
}
