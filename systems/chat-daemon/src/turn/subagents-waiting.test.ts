/** A chat waits for an agent that it started. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@atelier/base/clock";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { must } from "../state/chat-world-testkit.ts";
import { subagentTools } from "../tools/subagent-tools.ts";
import { contextOf, GENERAL, subagentWorld } from "./subagents-testkit.ts";

async function parentOfOne() {
  const made = await subagentWorld();
  const parent = await made.world.create();
  const { chatId } = must(await made.subagents.spawn(parent, { ...GENERAL, title: "T" }));
  return { ...made, parent, chatId };
}

function waitTool(subagents: Parameters<typeof subagentTools>[0]) {
  return subagentTools(subagents).find(({ name }) => name === "wait_agent") ?? assert.fail();
}

test("waiting ends when the child is done, with its report; others' chats are not found", async () => {
  const { world, watchers, subagents, parent, chatId } = await parentOfOne();
  await using _world = world;
  const tool = waitTool(subagents);
  const clock = new FakeClock();
  const context = { ...contextOf(parent, clock) };
  const waiting = tool.run({ chat_id: chatId }, context);
  while (watchers.size === 0) await new Promise((resolve) => setImmediate(resolve));
  must(
    await world.chats.machine.change(chatId, async (chat) => {
      must(
        await chat.commitStep([
          { role: "assistant", content: [{ type: "text", text: "found it" }] },
        ]),
      );
      return chat.finishTurn();
    }),
  );
  for (const changed of watchers) changed();
  assert.deepEqual(await waiting, {
    kind: "json",
    value: { chat_id: chatId, title: "T", status: "waiting", type: "general", report: "found it" },
  });
  assert.equal(watchers.size, 0, "nobody listens any more");
  const other = await world.create();
  const foreign = await tool.run({ chat_id: chatId }, contextOf(other, clock));
  assert.equal(foreign.kind, "error");
});

test("waiting too long says so and leaves the child alone; a child's error is told in its parts", async () => {
  const { world, subagents, parent, chatId } = await parentOfOne();
  await using _world = world;
  const tool = waitTool(subagents);
  const clock = new FakeClock();
  const late = tool.run({ chat_id: chatId, timeout_seconds: 1 }, contextOf(parent, clock));
  let isOver = false;
  const ended = late.then(() => (isOver = true));
  while (!isOver) {
    await clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  const told = await late;
  assert.ok(told.kind === "json");
  assert.deepEqual(told.value, {
    chat_id: chatId,
    title: "T",
    status: "running",
    type: "general",
    timed_out: true,
  });
  const error = { message: "broke", kind: "auth" as const, retryable: false, detail: "why" };
  must(await world.chats.machine.change(chatId, (chat) => chat.finishError(error)));
  const broken = await tool.run({ chat_id: chatId }, contextOf(parent, clock));
  assert.deepEqual(broken.kind === "json" && broken.value, {
    ...{ chat_id: chatId, title: "T", status: "error", type: "general", report: "" },
    ...{
      last_error: "broke",
      last_error_kind: "auth",
      last_error_retryable: false,
      last_error_detail: "why",
    },
  });
});

for (const { name, isConnected, looksMs } of [
  { name: "while news come, every five seconds", isConnected: true, looksMs: [0, 5_000, 8_000] },
  {
    name: "while none come, five times a second",
    isConnected: false,
    looksMs: [0, 200, 400, 600, 800, 1_000],
  },
]) {
  test(`a child is looked at ${name}, and once more when time is over`, async () => {
    const { world, news, subagents, parent, chatId } = await parentOfOne();
    await using _world = world;
    news.isConnected = isConnected;
    const looks: number[] = [];
    const clock = new FakeClock();
    let sleeps = 0;
    const counting: Clock = {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: (delayMs, signal) => {
        sleeps += 1;
        return clock.sleep(delayMs, signal);
      },
    };
    const endMs = looksMs.at(-1) ?? 0;
    const looking: typeof subagents = {
      ...subagents,
      find: async (asking, id) => {
        looks.push(clock.monotonicMs());
        // It ends in the very moment in which the time is over.
        if (clock.monotonicMs() === endMs) {
          await world.chats.machine.change(chatId, (chat) => chat.finishTurn());
        }
        return subagents.find(asking, id);
      },
    };
    const tool = waitTool(looking);
    const context = { ...contextOf(parent, clock), clock: counting };
    const waiting = tool.run({ chat_id: chatId, timeout_seconds: endMs / 1_000 }, context);
    for (let look = 1; look < looksMs.length; look++) {
      for (let turns = 0; sleeps < look && turns < 10_000; turns++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await clock.advance((looksMs[look] ?? 0) - (looksMs[look - 1] ?? 0));
    }
    const told = await waiting;
    assert.ok(told.kind === "json");
    const { status, timed_out: timedOut } = told.value as Record<string, unknown>;
    assert.deepEqual([status, timedOut], ["waiting", undefined], "that is no timeout");
    assert.deepEqual(looks, looksMs);
  });
}

test("a parent that is stopped while it waits leaves its agents at work", async () => {
  const { world, watchers, subagents, parent, chatId } = await parentOfOne();
  await using _world = world;
  const { machine } = world.chats;
  const stop = new AbortController();
  const tool = waitTool(subagents);
  const context = { ...contextOf(parent, new FakeClock()), signal: stop.signal };
  const waiting = tool.run({ chat_id: chatId }, context);
  while (watchers.size === 0) await new Promise((resolve) => setImmediate(resolve));
  must(await machine.change(parent.id, (chat) => chat.interrupt("stop")));
  stop.abort(new Error("interrupted"));
  await assert.rejects(async () => waiting, /interrupted/);
  assert.equal(watchers.size, 0);
  assert.equal((await world.drive(parent.id)).status, "waiting");
  assert.equal((await world.row(chatId)).status, "running");
});

test("a parent that is stopped while it looks after its agent does not begin to wait", async () => {
  const stop = new AbortController();
  const { world, subagents, watchers, parent, chatId } = await parentOfOne();
  await using _world = world;
  const looking: typeof subagents = {
    ...subagents,
    find: async (...about) => {
      const found = await subagents.find(...about);
      stop.abort(new Error("interrupted"));
      return found;
    },
  };
  const tool = waitTool(looking);
  // Its clock stands still: whoever waits, waits for ever.
  const context = { ...contextOf(parent, new FakeClock()), signal: stop.signal };
  await assert.rejects(async () => tool.run({ chat_id: chatId }, context), /interrupted/);
  assert.equal(watchers.size, 0);
});
