/** A chat's stream through cut connections, on a clock and sockets that the test holds. */
import type { ChatStreamEvent } from "@atelier/contract/chat/stream-event";
import type { ChatMessage } from "@atelier/contract/http/chats";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatLink, type ChatLinkDeps, type ChatSocket } from "./chat-link.ts";
import { staleText } from "./connection-words.ts";

const CHAT = "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c";
const TIME = "2026-01-01T00:00:00.000Z";
const about = { chat_id: CHAT };

const message = (id: number): ChatMessage => ({
  ...{ id, chat_id: CHAT, created_at: TIME, role: "assistant" },
  content: [{ type: "text", text: `message ${id}` }],
});
const told = (id: number): ChatStreamEvent => ({ type: "message", ...about, message: message(id) });
const word = (seq: number, text: string): ChatStreamEvent => ({
  ...{ type: "message_part", ...about },
  message_part: {
    ...{ role: "assistant", part: { type: "text", text } },
    ...{ history_version: 3, generation_attempt: 1, seq },
  },
});

type Dialled = {
  readonly cursor: Parameters<ChatLinkDeps["open"]>[0];
  readonly socket: ChatSocket;
};

function scene(first: readonly ChatMessage[] = [message(1), message(2)], hasOlder = true) {
  const clock = new FakeClock();
  const dialled: Dialled[] = [];
  const frames: (() => void)[] = [];
  const link = new ChatLink(
    {
      clock,
      random: { uuid: () => "ffff0000-0000-4000-8000-000000000000", alphanumeric: () => "" },
      open: (cursor) => {
        const socket: ChatSocket = {
          onopen: null,
          onmessage: null,
          onclose: null,
          close: () => {},
        };
        dialled.push({ cursor, socket });
        return socket;
      },
      soon: (run) => frames.push(run),
    },
    { messages: first, queue: [], hasOlder },
  );
  return {
    ...{ link, clock, dialled },
    tell: (...events: ChatStreamEvent[]): void => {
      dialled.at(-1)?.socket.onmessage?.({ data: JSON.stringify(events) });
    },
    cut: (code = 1006): void => dialled.at(-1)?.socket.onclose?.({ code }),
    frame: (): void => {
      for (const run of frames.splice(0)) run();
    },
    text: (): string =>
      (link.state.view.preview?.parts ?? [])
        .map((part) => (part.type === "text" ? part.text : ""))
        .join(""),
    ids: () => link.state.view.messages.map(({ id }) => id),
  };
}

test("the stream begins behind the messages that are here", () => {
  const { link, dialled } = scene();
  link.start();
  assert.deepEqual(dialled[0]?.cursor, { after_id: 2, after_part: undefined });
});

test("all that comes within a frame is told once", () => {
  const { link, tell, frame, ids } = scene();
  let times = 0;
  link.start();
  link.subscribe(() => (times += 1));
  tell(told(3));
  tell(told(4));
  assert.deepEqual(ids(), [1, 2]);
  frame();
  assert.deepEqual([ids(), times], [[1, 2, 3, 4], 1]);
});

test("after a cut it goes on behind the last word, and no word counts twice", async () => {
  const { link, clock, dialled, tell, cut, frame, text } = scene();
  link.start();
  tell(word(1, "One "), word(2, "two "));
  frame();
  tell(word(3, "three "));
  cut();
  assert.equal(link.state.connection.kind, "away");
  await clock.advance(250);
  assert.deepEqual(dialled[1]?.cursor, { after_id: 2, after_part: "3.1.3" });
  tell(word(3, "three "), word(4, "four"));
  frame();
  assert.equal(text(), "One two three four");
  assert.equal(link.state.connection.kind, "connected");
});

test("a socket that was left says nothing more", async () => {
  const { link, clock, dialled, tell, cut, frame, ids } = scene();
  link.start();
  const old = dialled[0]?.socket;
  cut();
  await clock.advance(250);
  old?.onmessage?.({ data: JSON.stringify([told(9)]) });
  old?.onclose?.({ code: 1006 });
  tell(told(3));
  frame();
  assert.deepEqual([ids(), dialled.length], [[1, 2, 3], 2]);
});

test("waits double up to ten seconds, and end when the network is back", async () => {
  const { link, clock, dialled, cut } = scene();
  link.start();
  for (const waitMs of [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
    const before = dialled.length;
    cut();
    await clock.advance(waitMs - 1);
    assert.equal(dialled.length, before, `not before ${waitMs} ms`);
    await clock.advance(1);
    assert.equal(dialled.length, before + 1);
  }
  cut();
  link.wake();
  assert.equal(dialled.length, 10);
});

test("a history that comes anew in several batches is shown when it is whole", () => {
  const { link, tell, frame, ids } = scene();
  link.start();
  const ids300 = Array.from({ length: 300 }, (_, index) => index + 1);
  tell({ type: "history_reset", ...about }, ...ids300.slice(0, 255).map(told));
  frame();
  assert.deepEqual(ids(), [1, 2]);
  tell(...ids300.slice(255).map(told), { type: "preview_reset", ...about });
  frame();
  assert.deepEqual(ids(), ids300);
  assert.equal(link.state.hasOlder, false);
});

test("older messages are put before, unless the history has changed since they were asked for", () => {
  const { link, ids } = scene([message(7), message(8)]);
  link.addOlder(7, [message(5), message(6)], true);
  link.addOlder(7, [message(1)], false);
  assert.deepEqual([ids(), link.state.hasOlder], [[5, 6, 7, 8], true]);
});

test("a chat that is gone is not dialled again", async () => {
  const { link, clock, dialled, cut } = scene();
  link.start();
  cut(4404);
  await clock.advance(60_000);
  assert.deepEqual([link.state.connection.kind, dialled.length], ["gone", 1]);
});

test("a stream that may be dead is dialled anew; what is shown counts as of the last word", async () => {
  const { link, clock, dialled, tell, frame } = scene();
  link.start();
  tell(told(3));
  frame();
  await clock.advance(20_000);
  link.doubt();
  const { connection } = link.state;
  assert.equal(connection.kind, "away");
  assert.equal(staleText(connection, clock.now()), "As of 20 s ago, reconnecting.");
  await clock.advance(250);
  assert.equal(dialled.length, 2);
});

test("a gap is told of once it lasts, with the time of the next attempt", () => {
  const asOf = new Date(TIME);
  const after = (ms: number): Date => new Date(asOf.getTime() + ms);
  const away = { kind: "away", asOf, retryAt: after(19_500) } as const;
  assert.equal(staleText(away, after(9_999)), null);
  assert.equal(staleText(away, after(14_000)), "As of 14 s ago, trying again in 6 s.");
  assert.equal(
    staleText({ ...away, retryAt: null }, after(150_000)),
    "As of 2 min ago, reconnecting.",
  );
  assert.equal(staleText({ kind: "connected" }, after(90_000)), null);
});
