/** Who may not spend more begins nothing, loses nothing, and goes on where it is allowed again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Chat } from "@atelier/contract/http/chats";
import { must } from "../state/chat-world-testkit.ts";
import type { SpendingRefusal } from "./chat-deps.ts";
import { chatService, type ChatEndpoints } from "./chat-routes.ts";
import { auditOf } from "./chat-client-testkit.ts";
import { chatsWorld } from "./chats-testkit.ts";

const REFUSAL: SpendingRefusal = {
  code: "chat.usage_limit_reached",
  detail: "Enough.",
  usageLimit: { spent_micros: 2, limit_micros: 1, resets_at: "2026-12-01T00:00:00.000Z" },
};
const content = [{ type: "text", text: "Go" }] as const;

async function limitedWorld() {
  const { world, deps, caller } = await chatsWorld();
  const limit = { isReached: false, asked: [] as string[] };
  const service = chatService({
    ...deps,
    spendingRefusal: async (userId) => {
      limit.asked.push(userId);
      return limit.isReached ? REFUSAL : null;
    },
  });
  const call = async <const N extends keyof ChatEndpoints>(
    name: N,
    params: object,
    body?: object,
  ) => {
    const answer = service[name] as (request: unknown) => ReturnType<(typeof service)[N]>;
    const audit = auditOf([]);
    const signal = new AbortController().signal;
    return answer({ caller, params, query: { limit: 50 }, body, audit, signal });
  };
  const create = async (more: object = {}) =>
    call("createChat", {}, { content, client_type: "api", ...more });
  const send = async (chat: string, more: object = {}) =>
    call("sendChatMessage", { chat }, { content, busy_behavior: "queue", ...more });
  /** All that is stored of chats. */
  const stored = async (): Promise<readonly unknown[]> => {
    const { rows } = await world.database.pool.query(
      `select (select json_agg(c order by id) from chats c) as chats,
         (select json_agg(m order by id) from chat_messages m) as messages,
         (select json_agg(q order by id) from chat_queued_messages q) as queued,
         (select json_agg(k order by key) from chat_request_keys k) as keys`,
    );
    return rows;
  };
  return { world, limit, call, create, send, stored };
}

test("nothing is begun, and nothing changes, by whichever way it is tried", async () => {
  const { world, limit, call, create, send, stored } = await limitedWorld();
  await using _world = world;
  const chat: Chat = must(await create());
  const queued = must(await send(chat.id)).queued_message?.id;
  const { messages } = must(await call("listChatMessages", { chat: chat.id }));
  const message = messages[0]?.id;
  limit.isReached = true;
  const before = await stored();
  for (const refused of [
    await create({ idempotency_key: "new" }),
    await send(chat.id, { idempotency_key: "sent" }),
    await send(chat.id, { busy_behavior: "interrupt" }),
    await call("editChatMessage", { chat: chat.id, message }, { content }),
    await call("promoteQueuedChatMessage", { chat: chat.id, queued }),
  ]) {
    assert.deepEqual(refused, { ok: false, failure: REFUSAL });
  }
  assert.deepEqual(await stored(), before);
  assert.deepEqual([...new Set(limit.asked)], [world.ownerId]);
});

test("what was refused is taken under the same key later, and what was taken stays so", async () => {
  const { world, limit, create, send } = await limitedWorld();
  await using _world = world;
  limit.isReached = true;
  assert.ok(!(await create({ idempotency_key: "k" })).ok);
  limit.isReached = false;
  const chat: Chat = must(await create({ idempotency_key: "k" }));
  const sent = must(await send(chat.id, { idempotency_key: "s" }));
  limit.isReached = true;
  assert.equal(must(await create({ idempotency_key: "k" })).id, chat.id);
  assert.deepEqual(must(await send(chat.id, { idempotency_key: "s" })), sent);
});

test("who may spend nothing more can stop, read, rewrite what waits, and put away", async () => {
  const { world, limit, call, create, send } = await limitedWorld();
  await using _world = world;
  const { id: chat } = must(await create());
  const queued = must(await send(chat)).queued_message?.id;
  limit.isReached = true;
  must(await call("updateQueuedChatMessage", { chat, queued }, { content }));
  must(await call("deleteQueuedChatMessage", { chat, queued }));
  must(await call("interruptChat", { chat }));
  must(await call("getChat", { chat }));
});
