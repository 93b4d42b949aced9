import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { fail, ok, type Result } from "@atelier/base/result";
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { simulate } from "./chat-transitions.simulation.ts";
import {
  drawStep,
  messageOf,
  takeStep,
  type WalkPeople,
  type WalkStep,
} from "./chat-walk-testkit.ts";
import { findChat } from "./chat-store.ts";
import { createChatMachine } from "./chat-machine-actions.ts";
import type { ChatOwner, LockedChat } from "./chat-machine.ts";
import {
  chatWorld,
  DYNAMIC_TOOL,
  must,
  takingWorker,
  type ChatWorld,
} from "./chat-world-testkit.ts";
import { MemoryChat, type MemoryState } from "./memory-chat-testkit.ts";
import { toStoredMessage, type MessageDatabaseRow } from "./message-store.ts";
import { listQueued } from "./queue-store.ts";

const QUEUE_MAX = 3;

test("a hundred thousand random transitions keep to the specification", async () => {
  await simulate({ seed: 20_260_101, runs: 100_000, report: () => {} });
});

test("thousands of random transitions leave in Postgres, row by row, what they leave in memory", async () => {
  const clock = new FakeClock();
  await using world = await chatWorld({ queueMax: QUEUE_MAX, clock });
  const people: WalkPeople = {
    ownerId: world.ownerId,
    apiKeyIds: [null, world.apiKeyId],
    modelConfigIds: [null, world.modelConfigId, await world.addModel()],
    toolName: DYNAMIC_TOOL.name,
  };
  const draws = new SeededDraws(7);
  for (let chats = 0; chats < 25; chats += 1) {
    const walk = await startWalk(world, clock);
    for (let number = 0; number < 100; number += 1) {
      await clock.advance(draws.below(3));
      // Several in one transaction now and then: its version grows by one, and all or none happen.
      const steps = Array.from({ length: draws.once(6) ? 2 : 1 }, (_, at) =>
        drawStep(draws, number * 2 + at),
      );
      await walkOn(walk, { steps, isAtOnce: draws.once(2), isTaking: draws.once(2) }, people);
      if (draws.once(3)) await readsTheSame(walk);
    }
  }
});

type Walk = {
  readonly world: ChatWorld;
  readonly clock: FakeClock;
  readonly memory: MemoryChat;
  readonly chatId: string;
};

async function startWalk(world: ChatWorld, clock: FakeClock): Promise<Walk> {
  const { chat, messages } = must(await world.machine.create(world.newChat()));
  const memory = new MemoryChat({ ...chat }, messages, QUEUE_MAX);
  const walk = { world, clock, memory, chatId: chat.id };
  assert.deepEqual(inOrder(await inPostgres(walk)), inOrder(memory.state));
  return walk;
}

type Stride = {
  readonly steps: readonly WalkStep[];
  /** With the fenced single statement, where the step has one. */
  readonly isAtOnce: boolean;
  /** And by a server that takes the chat with it. */
  readonly isTaking: boolean;
};

async function walkOn(walk: Walk, stride: Stride, people: WalkPeople): Promise<void> {
  const { world, clock, memory, chatId } = walk;
  const [first] = stride.steps;
  if (first?.action === "acquire") {
    const owner = { workerId: randomUUID(), runnerId: randomUUID() };
    await endLease(world, chatId);
    if ((await world.machine.acquire(chatId, owner)) !== null) memory.acquire(owner);
  } else {
    const view = viewOf(await inPostgres(walk));
    const memoryView = viewOf(memory.state);
    const { historyVersion, runnerId, status } = memory.state.row;
    const fence = { historyVersion, runnerId: runnerId ?? "", status };
    const isRunning = status === "running" && runnerId !== null && stride.steps.length === 1;
    const sent = await sentAtRest(walk, stride, people);
    const inMemory = (chat: LockedChat) => takeAll(chat, stride, memoryView, people);
    const taken = sent?.owner
      ? await memory.changeTaken(clock.now(), sent.owner, inMemory)
      : await memory.change(clock.now(), inMemory);
    let done: Result<unknown, unknown>;
    if (stride.isAtOnce && isRunning && first?.action === "record_generation_attempt") {
      done = await world.machine.recordAttemptFenced(chatId, fence);
    } else if (sent !== null) {
      done = ok(undefined);
    } else {
      done = await world.machine.change(chatId, (chat) => takeAll(chat, stride, view, people));
    }
    assert.equal(done.ok, taken.ok, JSON.stringify([stride, done, taken]));
    if (!done.ok && !taken.ok) assert.deepEqual(done.failure, taken.failure);
  }
  assert.deepEqual(
    inOrder(await inPostgres(walk)),
    inOrder(memory.state),
    JSON.stringify(stride.steps),
  );
}

/** A server that read the chat before reads what one does that never did. */
async function readsTheSame({ world, clock, chatId, memory }: Walk): Promise<void> {
  const { runnerId, historyVersion, status } = memory.state.row;
  if (runnerId === null) return;
  const fence = { runnerId, historyVersion, status };
  const other = createChatMachine({ database: world.database, clock });
  assert.deepEqual(
    must(await world.machine.readFenced(chatId, fence)),
    must(await other.readFenced(chatId, fence)),
  );
}

/** Null: nothing was done. With an owner: the chat was taken. */
async function sentAtRest(
  { world, clock, chatId }: Walk,
  { steps: [step, ...others], isAtOnce, isTaking }: Stride,
  people: WalkPeople,
): Promise<{ readonly owner: ChatOwner | null } | null> {
  const isSend = step?.action === "send_message_queue" || step?.action === "send_message_interrupt";
  if (!isAtOnce || !isSend || others.length > 0) return null;
  const owner = isTaking ? { workerId: randomUUID(), runnerId: randomUUID() } : null;
  if (isTaking) await endLease(world, chatId);
  const machine =
    owner === null
      ? world.machine
      : createChatMachine({ database: world.database, clock, ownWorker: takingWorker(owner) });
  const message = messageOf(step, people);
  const sent = await machine.sendAtRest(chatId, message, { conditions: [], writes: [] });
  return sent === null ? null : { owner };
}

/** Time passes by the database's clock, which no test moves. */
async function endLease({ database }: ChatWorld, chatId: string): Promise<void> {
  await database.pool.query("delete from chat_heartbeats where chat_id = $1", [chatId]);
}

async function takeAll(
  chat: LockedChat,
  { steps }: Stride,
  view: ReturnType<typeof viewOf>,
  people: WalkPeople,
): Promise<Result<undefined, unknown>> {
  for (const step of steps) {
    if (step.action === "acquire") continue;
    const taken = await takeStep(chat, step, view, people);
    if (!taken.ok) return fail(taken.failure);
  }
  return ok(undefined);
}

function viewOf({ messages, queue }: MemoryState) {
  return { messages: messages.filter(({ deleted }) => !deleted), queue };
}

/** Ids of rows differ, their order does not. */
function inOrder({ row, messages, queue }: MemoryState): unknown {
  return {
    row,
    messages: messages.map((message, at) => ({ ...message, id: at })),
    queue: queue.map((queued, at) => ({ ...queued, id: at })),
  };
}

async function inPostgres({ world, chatId }: Walk): Promise<MemoryState> {
  const { pool, sql } = world.database;
  const row = (await findChat(sql, chatId)) ?? assert.fail("the chat is there");
  const { rows } = await pool.query<MessageDatabaseRow>(
    "select * from chat_messages where chat_id = $1 order by id",
    [chatId],
  );
  return { row, messages: rows.map(toStoredMessage), queue: await listQueued(sql, chatId) };
}
