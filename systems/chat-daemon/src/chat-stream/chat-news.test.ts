/** News of a person's chats, from what chats do to those who look at lists of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import type { Chat } from "@atelier/contract/http/chats";
import type { PubSub, Subscriber } from "@atelier/database/pub-sub";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testDatabase } from "@atelier/testkit/test-database";
import { chatNewsWatch, type ChatNews } from "./chat-news-actions.ts";
import { ChatMoves } from "./chat-moves-task.ts";

const OWNER = "0b8f1f5e-1111-4a4a-8b8b-0a4c1f1e2d3c";

function scene() {
  const clock = new FakeClock();
  const subscribers: Subscriber[] = [];
  const pubSub: Pick<PubSub, "subscribe"> = {
    subscribe: (_channel, on) => {
      subscribers.push(on);
      return { [Symbol.dispose]: () => {} };
    },
  };
  const reads: string[][] = [];
  const watch = chatNewsWatch({
    pubSub: pubSub as PubSub, // Nothing else is asked for.
    ...{ clock, log: silentLogger },
    showChats: async (ids) => {
      reads.push([...ids]);
      return ids.filter((id) => id !== "gone").map((id) => ({ id }) as Chat);
    },
  });
  const told: string[] = [];
  const controller = new AbortController();
  const send = async (news: ChatNews): Promise<void> => {
    told.push(news.kind === "ready" ? news.kind : `${news.kind} ${news.chat.id}`);
  };
  const ended = watch.watch(OWNER, send, controller.signal);
  const publish = (payload: object): void => subscribers[0]?.message(JSON.stringify(payload));
  return {
    ...{ clock, told, reads, publish, subscribers },
    settle: async () => {
      for (let turn = 0; turn < 10; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
    },
    [Symbol.asyncDispose]: async () => {
      controller.abort();
      await ended;
    },
  };
}

const moved = (...chat_ids: readonly string[]) => ({ kind: "action_change", chat_ids });

test("what chats do is told at once, and then no more often than every second", async () => {
  await using here = scene();
  here.publish(moved("a", "b"));
  await here.settle();
  assert.deepEqual(here.told, ["action_change a", "action_change b"]);
  here.publish(moved("a"));
  here.publish(moved("a", "c"));
  await here.settle();
  assert.equal(here.told.length, 2);
  await here.clock.advance(1_000);
  await here.settle();
  assert.deepEqual(here.told.slice(2), ["action_change a", "action_change c"]);
  // Together, however many they are.
  assert.deepEqual(here.reads, [
    ["a", "b"],
    ["a", "c"],
  ]);
});

test("what else is told of a chat waits for nothing, and tells what it does too", async () => {
  await using here = scene();
  here.publish(moved("a"));
  await here.settle();
  here.publish(moved("a", "b"));
  here.publish({ kind: "status_change", chat_id: "a" });
  here.publish({ kind: "deleted", chat_id: "gone" });
  await here.settle();
  assert.deepEqual(here.told.slice(1), ["status_change a", "deleted gone"]);
  await here.clock.advance(1_000);
  await here.settle();
  assert.deepEqual(here.told.slice(3), ["action_change b"]);
});

test("many chats are read fifty at a time; chats that are gone, and nonsense, are told nothing of", async () => {
  await using here = scene();
  here.publish(moved(...Array.from({ length: 60 }, (_, index) => `c${index}`)));
  here.publish({ kind: "title_change", chat_id: "gone" });
  here.publish({ kind: "title_change" });
  here.publish({ kind: "something_new", chat_id: "a" });
  here.subscribers[0]?.message("no JSON");
  await here.settle();
  assert.equal(here.told.length, 49);
  await here.clock.advance(1_000);
  await here.settle();
  assert.equal(here.told.length, 60);
});

test("after news may have been missed, those who look ask for everything anew", async () => {
  await using here = scene();
  here.subscribers[0]?.resync();
  await here.settle();
  assert.deepEqual(here.told, ["ready"]);
});

test("however many chats move, a server says so in one statement a second", async () => {
  await using database = await testDatabase();
  const clock = new FakeClock();
  const listener = await database.pool.connect();
  const heard: { readonly kind: string; readonly chat_ids: readonly string[] }[] = [];
  await listener.query(`listen "chat_watch_${OWNER.replaceAll("-", "")}"`);
  listener.on("notification", ({ payload = "" }) => heard.push(JSON.parse(payload)));
  const moves = new ChatMoves({ database, clock, log: silentLogger });
  const controller = new AbortController();
  const ended = moves.keepTelling(controller.signal);
  const chats = Array.from({ length: 500 }, () => crypto.randomUUID());
  try {
    for (const id of chats) {
      for (let step = 0; step < 3; step += 1)
        moves.moved({ id, ownerId: OWNER, parentChatId: null });
      moves.moved({ id: crypto.randomUUID(), ownerId: OWNER, parentChatId: id });
    }
    await clock.untilSleeping();
    const said = new Set(heard.flatMap(({ chat_ids: ids }) => ids));
    await listener.query("select 1");
    for (const { chat_ids: ids } of heard) for (const id of ids) said.add(id);
    assert.deepEqual([...said].toSorted(), chats.toSorted());
    assert.equal(heard.length, 4);
    moves.moved({ id: chats[0] ?? "", ownerId: OWNER, parentChatId: null });
    await listener.query("select 1");
    assert.equal(heard.length, 4);
    await clock.advance(1_000);
    await clock.untilSleeping();
    await listener.query("select 1");
    assert.equal(heard.length, 5);
  } finally {
    controller.abort();
    await ended.catch(() => {});
    listener.release(true);
  }
});
