/** What a runner does without a model: it waits for a client as long as it was promised, and not longer. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { REQUIRES_ACTION_MS_MAX } from "../state/transition-plan.ts";
import { chatWorld, must, type ChatWorld } from "../state/chat-world-testkit.ts";
import { findChat } from "../state/chat-store.ts";
import { runDynamicToolsTimeout } from "./own-runner-actions.ts";
import type { RunnerTaskContext } from "./runner-tasks.ts";

async function waiting(world: ChatWorld, signal: AbortSignal): Promise<RunnerTaskContext> {
  const { id: chatId } = await world.chatIn("A0");
  const owner = { workerId: randomUUID(), runnerId: randomUUID() };
  const chat = (await world.machine.acquire(chatId, owner)) ?? assert.fail("it is free");
  const { historyVersion, status, fence } = chat;
  const { machine } = world;
  return {
    ...{ chatId, ...owner, historyVersion, status, fence, machine, signal },
    takeRead: () => null,
  };
}

async function statusOf({ database }: ChatWorld, chatId: string): Promise<string | undefined> {
  return (await findChat(database.sql, chatId))?.status;
}

test("a client has five minutes to answer; then its calls are cancelled, and the work goes on", async () => {
  const clock = new FakeClock();
  await using world = await chatWorld({ queueMax: 20, clock });
  const context = await waiting(world, new AbortController().signal);
  const task = runDynamicToolsTimeout(context, { sql: world.database.sql, clock });
  const waits = () => Promise.race([clock.untilSleeping(), task]);
  for (let minute = 1; minute < REQUIRES_ACTION_MS_MAX / 60_000; minute += 1) {
    await waits();
    await clock.advance(60_000);
  }
  await waits();
  await clock.advance(59_999);
  await waits();
  assert.equal(await statusOf(world, context.chatId), "requires_action");
  await clock.advance(1);
  await task;
  const chat = await findChat(world.database.sql, context.chatId);
  assert.deepEqual([chat?.status, chat?.requiresActionDeadlineAt], ["running", null]);
  const { rows } = await world.database.pool.query<{ is_error: boolean }>(
    `select (content -> 0 -> 'is_error')::bool as is_error from chat_messages
     where chat_id = $1 and role = 'tool'`,
    [context.chatId],
  );
  assert.deepEqual(rows, [{ is_error: true }]);
});

test("a client that answered in time is not cancelled, whether the runner has heard of it or not", async () => {
  for (const isHeard of [true, false]) {
    const clock = new FakeClock();
    await using world = await chatWorld({ queueMax: 20, clock });
    const stop = new AbortController();
    const context = await waiting(world, stop.signal);
    const task = runDynamicToolsTimeout(context, { sql: world.database.sql, clock });
    await clock.untilSleeping();
    const outcome = { toolCallId: "call 1", output: "yes", isError: false };
    must(
      await world.machine.change(context.chatId, (chat) => chat.completeRequiresAction([outcome])),
    );
    const { snapshotVersion } = (await findChat(world.database.sql, context.chatId)) ?? {};
    if (isHeard) {
      stop.abort(new Error("the chat has moved on"));
      await assert.rejects(task, /moved on/);
    } else {
      for (let left = REQUIRES_ACTION_MS_MAX; left > 0; left -= 60_000) {
        await Promise.race([clock.untilSleeping(), task]);
        await clock.advance(60_000);
      }
      await task;
    }
    const after = await findChat(world.database.sql, context.chatId);
    assert.deepEqual([after?.status, after?.snapshotVersion], ["running", snapshotVersion]);
  }
});
