/** Viewers on a real database: what they hold in the end is what the database holds, wherever parts come from. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { SharedText } from "@atelier/contract/rpc/socket-service";
import { insertParts } from "../live-parts/part-journal-store.ts";
import {
  callOf,
  chatWorld,
  DYNAMIC_TOOL,
  must,
  SAYS,
  type ChatWorld,
} from "../state/chat-world-testkit.ts";
import { pass, Screen, server, watch } from "./chat-viewers-testkit.ts";
import { MemoryLines } from "./part-lines-testkit.ts";
import { PartGap } from "./viewer-sync.ts";

async function acquired(world: ChatWorld, workerId: string): Promise<string> {
  const { chat } = must(await world.machine.create(world.newChat()));
  await world.machine.acquire(chat.id, { workerId, runnerId: randomUUID() });
  return chat.id;
}

async function attempt(world: ChatWorld, chatId: string) {
  let historyVersion = 0;
  const recorded = await world.machine.change(chatId, async (chat) => {
    const done = await chat.recordGenerationAttempt();
    ({ historyVersion } = chat.row);
    return done;
  });
  return { chatId, historyVersion, generationAttempt: must(recorded).attempt };
}

const say = (text: string) => ({ type: "text" as const, text });

test("a viewer sees what is written, then what is committed", async () => {
  await using world = await chatWorld();
  await using here = await server(world);
  const chatId = await acquired(world, here.workerId);
  const view = watch(here.viewers, chatId);
  await view.screen.until(() => view.screen.status === "running");
  const episode = await attempt(world, chatId);
  here.buffer.createEpisode(episode);
  here.buffer.addPart(episode, "assistant", say("Hel"));
  here.buffer.addPart(episode, "assistant", say("lo"));
  await view.screen.until(() => view.screen.parts === "Hello");
  await world.machine.change(chatId, (chat) => chat.commitStep([SAYS]));
  await view.screen.until(() => [...view.screen.messages.values()].at(-1) === "well");
  await view.screen.until(() => view.screen.parts === "");
  await world.machine.change(chatId, (chat) => chat.finishTurn());
  await view.screen.until(() => view.screen.status === "waiting");
  view.stop();
  assert.equal(await view.ended, "closed");
  assert.equal(here.viewers.count, 0);
});

for (const isReached of [true, false]) {
  const reached = isReached ? "one server is told" : "one server reads, because it reaches nobody,";
  test(`what ${reached} of another's chat is what that one shows`, async () => {
    await using world = await chatWorld();
    const lines = new MemoryLines();
    await using there = await server(world, lines);
    await using here = await server(world, isReached ? lines : undefined);
    await seeOnAnother(world, there, here);
    assert.equal(lines.dials, isReached ? 1 : 0);
  });
}

type TestServer = Awaited<ReturnType<typeof server>>;

async function seeOnAnother(world: ChatWorld, there: TestServer, here: TestServer) {
  const chatId = await acquired(world, there.workerId);
  const episode = await attempt(world, chatId);
  there.buffer.createEpisode(episode);
  there.buffer.addPart(episode, "assistant", say("one "));
  const first = watch(here.viewers, chatId);
  await first.screen.until(() => first.screen.parts === "one ");
  there.buffer.addPart(episode, "assistant", say("two"));
  await first.screen.until(() => first.screen.parts === "one two");
  first.stop();
  await first.ended;
  const second = watch(here.viewers, chatId);
  await second.screen.until(() => second.screen.parts === "one two");
  second.stop();
  await second.ended;
}

test("of a chat that another server has by now, nothing is kept", async () => {
  await using world = await chatWorld();
  const workerId = randomUUID();
  const chatId = await acquired(world, workerId);
  const id = await attempt(world, chatId);
  const entry = {
    id,
    firstSeq: 1,
    parts: [{ seq: 1, role: "assistant" as const, part: say("a") }],
  };
  const older = { ...entry, id: { ...id, historyVersion: id.historyVersion - 1 } };
  const at = new Date();
  const written = await insertParts(world.database, [older, entry], {
    ...{ at, workerId, isFlushed: true },
  });
  assert.deepEqual(written, [entry]);
  const lost = { at, workerId: randomUUID(), isFlushed: true };
  assert.deepEqual(await insertParts(world.database, [entry], lost), []);
});

test("who comes back after an edit is told the history anew", async () => {
  await using world = await chatWorld();
  await using here = await server(world);
  const { id: chatId } = await world.chatIn("W");
  const before = watch(here.viewers, chatId);
  await before.screen.until(() => before.screen.messages.size === 2);
  before.stop();
  await before.ended;
  const [first = 0, last = 0] = [...before.screen.messages.keys()];
  const kept = watch(here.viewers, chatId, { afterId: last });
  await kept.screen.until(() => kept.screen.types.includes("preview_reset"));
  assert.deepEqual(
    kept.screen.types.filter((type) => type === "message"),
    [],
  );
  kept.stop();
  await world.machine.change(chatId, (chat) => chat.editMessage(first, world.user("again")));
  const back = watch(here.viewers, chatId, { afterId: last });
  await back.screen.until(() => back.screen.messages.size === 1);
  assert.ok(back.screen.types.includes("history_reset"));
  assert.deepEqual([...back.screen.messages.values()], ["again"]);
  back.stop();
  await back.ended;
});

test("an edit in the middle is told as a history without the rest, in its order", async () => {
  await using world = await chatWorld();
  await using here = await server(world);
  const { id: chatId } = await world.chatIn("W");
  const { machine } = world;
  for (const text of ["second", "third"]) {
    must(await machine.change(chatId, (chat) => chat.sendMessage(world.user(text), "queue")));
    must(await machine.change(chatId, (chat) => chat.commitStep([SAYS])));
    must(await machine.change(chatId, (chat) => chat.finishTurn()));
  }
  const view = watch(here.viewers, chatId);
  const { screen } = view;
  await screen.until(() => screen.types.includes("preview_reset"));
  assert.deepEqual(
    [...screen.messages.values()],
    ["hello", "well", "second", "well", "third", "well"],
  );
  const [, , second = 0] = [...screen.messages.keys()];
  screen.types.length = 0;
  must(await machine.change(chatId, (chat) => chat.editMessage(second, world.user("otherwise"))));
  await screen.until(() => screen.status === "running" && screen.types.includes("preview_reset"));
  assert.deepEqual([...screen.messages.values()], ["hello", "well", "otherwise"]);
  const told = ["history_reset", "message", "message", "message", "status", "preview_reset"];
  assert.deepEqual(screen.types, told);
  view.stop();
  await view.ended;
});

test("whenever a viewer comes, it is told what the chat waits for, and what went wrong", async () => {
  await using world = await chatWorld();
  await using here = await server(world);
  const { id: chatId } = await world.chatIn("R0");
  const { machine } = world;
  const result = { tool_call_id: "answered", tool_name: DYNAMIC_TOOL.name, result: "done" };
  const early = watch(here.viewers, chatId);
  await early.screen.until(() => early.screen.status === "running");
  /** Of those who look on, and of who comes now. */
  const told = async (type: ChatStreamEvent["type"]) => {
    const late = watch(here.viewers, chatId);
    await late.screen.until(() => late.screen.types.includes("preview_reset"));
    late.stop();
    await early.screen.until(() => early.screen.types.includes(type));
    return [early, late].map(({ screen }) =>
      screen.events.findLast((event) => event.type === type),
    );
  };
  const calls = [
    callOf("mine"),
    callOf("answered"),
    callOf("ours", "execute"),
    callOf("also mine"),
  ];
  must(
    await machine.change(chatId, async (chat) => {
      must(await chat.commitStep([{ role: "assistant", content: calls }]));
      must(
        await chat.commitStep([{ role: "tool", content: [{ type: "tool-result", ...result }] }]),
      );
      return chat.enterRequiresAction();
    }),
  );
  const tool_calls = ["mine", "also mine"].map((tool_call_id) => ({
    ...{ tool_call_id, tool_name: DYNAMIC_TOOL.name, args: {} },
  }));
  const asked = { type: "action_required", chat_id: chatId, action_required: { tool_calls } };
  assert.deepEqual(await told("action_required"), [asked, asked]);
  // Exactly what the machine takes results for.
  const outcomes = tool_calls.map(({ tool_call_id: toolCallId }) => ({
    ...{ toolCallId, output: 1, isError: false },
  }));
  must(await machine.change(chatId, (chat) => chat.completeRequiresAction(outcomes)));
  const retry = { attempt: 1, delay_ms: 5, error: "busy", retrying_at: "2026-01-01T00:00:00.000Z" };
  must(await machine.change(chatId, (chat) => chat.recordRetryState(retry)));
  const waits = { type: "retry", chat_id: chatId, retry };
  assert.deepEqual(await told("retry"), [waits, waits]);
  const error = { message: "broke", kind: "auth" as const, retryable: false };
  must(await machine.change(chatId, (chat) => chat.finishError(error)));
  const failed = { type: "error", chat_id: chatId, error };
  assert.deepEqual(await told("error"), [failed, failed]);
  early.stop();
  await early.ended;
});

test("parts with a gap between them end the viewer, which comes back for all of them", async () => {
  await using world = await chatWorld();
  await using here = await server(world);
  const chatId = await acquired(world, here.workerId);
  await attempt(world, chatId);
  const groups = [1, 3].map((seq) => ({
    ...{ parts: [{ seq, role: "assistant" as const, part: say("x") }], shared: null },
  }));
  const take = () => groups.shift() ?? null;
  const follow = () => ({ take, isDropped: false, [Symbol.dispose]: () => {} });
  const viewers = here.viewersOf({ follow });
  const view = watch(viewers, chatId);
  await assert.rejects(view.ended, PartGap);
  assert.equal(viewers.count, 0);
});

test("a viewer that takes nothing holds up nobody, and misses nothing", async () => {
  await using world = await chatWorld();
  await using here = await server(world);
  const chatId = await acquired(world, here.workerId);
  const slow = new Screen();
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const stalled = watch(here.viewers, chatId, {
    send: async (events) => {
      await gate;
      await slow.take(events);
    },
  });
  const quick = watch(here.viewers, chatId);
  for (let round = 0; round < 20; round += 1) {
    await world.machine.change(chatId, (chat) => chat.commitStep([SAYS]));
  }
  await quick.screen.until(() => quick.screen.messages.size === 21);
  assert.equal(slow.messages.size, 0);
  open();
  await slow.until(() => slow.messages.size === 21);
  // Twenty changes, of which it slept through most: a few readings brought it up to date.
  assert.ok(slow.types.filter((type) => type === "preview_reset").length <= 4, slow.types.join());
  for (const view of [stalled, quick]) {
    view.stop();
    await view.ended;
  }
});

test("those who are told the same are told it by one text", async () => {
  await using world = await chatWorld();
  await using here = await server(world);
  const chatId = await acquired(world, here.workerId);
  const episode = await attempt(world, chatId);
  here.buffer.createEpisode(episode);
  const heard: SharedText[][] = [[], []];
  const screens = [new Screen(), new Screen()];
  const stop = new AbortController();
  const ended = screens.map((screen, index) =>
    here.viewers.view(
      { chatId, afterId: 0, cursor: null },
      (events, done) => {
        if (typeof events !== "string") heard[index]?.push(events);
        pass((parsed) => screen.take(parsed), events, done).catch(assert.fail);
      },
      stop.signal,
    ),
  );
  for (const screen of screens) await screen.until(() => screen.types.includes("preview_reset"));
  here.buffer.addPart(episode, "assistant", say("one "));
  for (const screen of screens) await screen.until(() => screen.parts === "one ");
  here.buffer.addPart(episode, "assistant", say("two"));
  for (const screen of screens) await screen.until(() => screen.parts === "one two");
  assert.equal(heard[0]?.length, 2);
  assert.deepEqual(
    heard[0]?.map((text, index) => text === heard[1]?.[index]),
    [true, true],
  );
  stop.abort();
  assert.deepEqual(await Promise.all(ended), ["closed", "closed"]);
});

test("a viewer that is gone ends without an error", async () => {
  await using world = await chatWorld();
  await using here = await server(world);
  const { id: chatId } = await world.chatIn("W");
  const ended = here.viewers.view(
    { chatId, afterId: 0, cursor: null },
    (_events, done) => done(new Error("the socket is closing")),
    new AbortController().signal,
  );
  assert.equal(await ended, "closed");
  assert.equal(here.viewers.count, 0);
});

test("a chat that is gone ends its viewers", async () => {
  await using world = await chatWorld();
  await using here = await server(world);
  assert.equal(await watch(here.viewers, randomUUID()).ended, "chat_gone");
});
