import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatNewsLink, parseNews, type NewsSocket } from "./chat-news-link.ts";

const ID = "0b8f1f5e-1111-4a4a-8b8b-0a4c1f1e2d3c";

function scene({ isWelcome = true } = {}) {
  const clock = new FakeClock();
  const sockets: NewsSocket[] = [];
  const told: string[] = [];
  const link = new ChatNewsLink({
    clock,
    open: () => {
      const socket: NewsSocket = { onmessage: null, onclose: null, close: () => {} };
      sockets.push(socket);
      return socket;
    },
    isWelcome: () => Promise.resolve(isWelcome),
    onNews: ({ kind }) => told.push(kind),
    onConnected: (isConnected) => told.push(isConnected ? "connected" : "lost"),
  });
  return { clock, sockets, told, link };
}

test("a connection counts once the server says that it is ready", () => {
  const { sockets, told } = scene();
  assert.deepEqual(told, []);
  sockets[0]?.onmessage?.({ data: '{"kind":"ready"}' });
  assert.deepEqual(told, ["connected", "ready"]);
});

test("a lost connection is told and dialled anew, each time after a longer wait", async () => {
  const { clock, sockets, told } = scene();
  sockets[0]?.onclose?.();
  assert.deepEqual(told, ["lost"]);
  await clock.advance(500);
  assert.equal(sockets.length, 2);
  sockets[1]?.onclose?.();
  await clock.advance(500);
  assert.equal(sockets.length, 2);
  await clock.advance(500);
  assert.equal(sockets.length, 3);
});

test("a server that does not answer this person is not dialled, as after their session", async () => {
  const { clock, sockets } = scene({ isWelcome: false });
  sockets[0]?.onclose?.();
  await clock.advance(60_000);
  assert.equal(sockets.length, 1);
});

test("who has left is told nothing, and dials no more", async () => {
  const { clock, sockets, told, link } = scene();
  link.close();
  sockets[0]?.onmessage?.({ data: '{"kind":"ready"}' });
  sockets[0]?.onclose?.();
  await clock.advance(60_000);
  assert.deepEqual([told, sockets.length], [[], 1]);
});

test("news of a chat that is gone name it; what is not understood is no news", () => {
  const deleted = JSON.stringify({ kind: "deleted", chat: { id: ID } });
  assert.deepEqual(parseNews(deleted), { kind: "deleted", chatId: ID });
  for (const text of ["", "{}", '{"kind":"created","chat":{}}', '{"kind":"something_new"}']) {
    assert.equal(parseNews(text), null);
  }
});
