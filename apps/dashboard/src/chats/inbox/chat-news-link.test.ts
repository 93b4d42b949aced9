import { CHAT_NEWS_KINDS } from "@atelier/contract/http/chat-sockets";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatNewsLink, parseNews, type NewsSocket } from "./chat-news-link.ts";

const TIME = "2026-01-01T00:00:00.000Z";
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

test("news that only change what a row says are told apart from those that move it", () => {
  const chat = {
    ...{ id: ID, organization_id: ID, owner_id: ID, last_model_config_id: ID, title: "A chat" },
    ...{ status: "running", last_turn_summary: null, created_at: TIME, updated_at: TIME },
    ...{
      archived: false,
      shared: false,
      pin_order: 0,
      mcp_server_ids: [],
      labels: {},
      has_unread: false,
    },
    ...{ inbox_section: "working", inbox_since: TIME, client_type: "ui", queue_length: 0 },
    children: [],
  };
  const staying = CHAT_NEWS_KINDS.filter((kind) => {
    const news = parseNews(JSON.stringify({ kind, chat }));
    return news?.kind === "changed" && news.staysThere;
  });
  assert.deepEqual(staying, ["diff_status_change", "action_change"]);
});
