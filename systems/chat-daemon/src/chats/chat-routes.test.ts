/** What people do with chats, on a real database: each endpoint's use case as its caller sees it. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { fail } from "@atelier/base/result";
import { listChatsByWorkspace, sendChatMessage } from "@atelier/contract/http/chats";
import { QUEUE_MAX_DEFAULT } from "../state/chat-machine-actions.ts";
import { must } from "../state/chat-world-testkit.ts";
import { chatClient, codeOf, created, HELLO } from "./chat-client-testkit.ts";
import { chatsWorld, type ChatsWorld } from "./chats-testkit.ts";

/** The same person with another credential. */
async function signedIn(
  chats: ChatsWorld,
  apiKeyId: string,
): Promise<ReturnType<typeof chatClient>> {
  await chats.world.database.pool.query(
    `insert into api_keys (id, kind, user_id, token_name, hashed_secret, scopes, lifetime_seconds,
       created_at, expires_at)
     values ($1, 'token', $2, $1, '', '{all}', 60, now(), now())`,
    [apiKeyId, chats.world.ownerId],
  );
  return chatClient({ ...chats, caller: { ...chats.caller, apiKeyId } });
}

/** What people wrote, and with which credential. */
async function keysOf({ world }: ChatsWorld, table: "chat_messages" | "chat_queued_messages") {
  const { rows } = await world.database.pool.query<{ text: string; key: string | null }>(
    `select content -> 0 ->> 'text' as text, api_key_id as key from ${table}
     ${table === "chat_messages" ? "where role = 'user' and not deleted" : ""} order by id`,
  );
  return rows.map(({ text, key }) => `${text}: ${key}`);
}

test("the audit log is told which chat was written to, also when that was refused", async () => {
  await using chats = await chatsWorld();
  const told: unknown[] = [];
  const call = chatClient(chats, told);
  const { id } = await created(call);
  const params = { chat: id };
  await call("promoteQueuedChatMessage", { params: { ...params, queued: 1_000_000 } });
  assert.deepEqual(told.slice(1), [{ resourceId: id, target: "" }]);
});

test("the audit log's entry is written with the message: in its statement, or its transaction", async () => {
  await using chats = await chatsWorld();
  const told: unknown[] = [];
  const call = chatClient(chats, told);
  const { id } = await created(call);
  const send = async (key: string) => {
    told.length = 0;
    const body = { content: HELLO, busy_behavior: "queue", idempotency_key: key };
    must(await call("sendChatMessage", { params: { chat: id }, body }));
    return told.slice(1);
  };
  assert.deepEqual(await send("a"), [{ recorded: id }], "while the chat works");
  must(await chats.world.machine.change(id, (chat) => chat.finishTurn()));
  must(await chats.world.machine.change(id, (chat) => chat.finishTurn()));
  assert.deepEqual(await send("b"), [{ written: id }], "to a chat that rests");
  // The edge writes the entry of a repeat, which changes nothing.
  assert.deepEqual(await send("b"), []);
});

test("the chat that worked last in each workspace is told, of those that are not archived and may be read", async () => {
  const [first, second] = [randomUUID(), randomUUID()];
  await using chats = await chatsWorld();
  const call = chatClient(chats);
  const { database, ownerId, organizationId } = chats.world;
  const { pool } = database;
  await pool.query(
    `insert into workspaces (id, owner_id, organization_id, name, kind, created_at, updated_at, last_used_at)
     values ($1, $2, $3, 'w', 'external', now(), now(), now())`,
    [first, ownerId, organizationId],
  );
  const ids: string[] = [];
  for (const age of [1, 2, 3]) {
    const { id } = await created(call);
    await pool.query(
      `update chats set status = 'waiting', workspace_id = $3,
         updated_at = now() - $2 * interval '1 day' where id = $1`,
      [id, age, first],
    );
    ids.push(id);
  }
  const latest = async () => {
    const query = { workspace_ids: [first, second] };
    const found = must(await call("listChatsByWorkspace", { query }));
    return Object.entries(found).map(([workspaceId, { id }]) => [workspaceId, id]);
  };
  assert.deepEqual(await latest(), [[first, ids[0]]]);
  await pool.query("update chats set archived = true where id = $1", [ids[0]]);
  assert.deepEqual(await latest(), [[first, ids[1]]]);
  const others = chatClient({ ...chats, caller: { ...chats.caller, may: () => false } });
  const query = { workspace_ids: [first] };
  assert.deepEqual(must(await others("listChatsByWorkspace", { query })), {});
});

test("so many workspaces at once, and not more, are asked for by their ids", () => {
  const read = (workspace_ids: string) => listChatsByWorkspace.query.safeParse({ workspace_ids });
  const ids = Array.from({ length: 26 }, () => randomUUID());
  assert.equal(read(ids.slice(1).join(",")).success, true);
  assert.equal(read(ids.join(",")).success, false);
  assert.equal(read("here").success, false);
});

test("a chat that waits for a place says so", async () => {
  const limits = { topLevelMax: 1, subagentsMax: null };
  await using chats = await chatsWorld({ limits });
  const call = chatClient(chats);
  const first = await created(call);
  const owner = { workerId: randomUUID(), runnerId: randomUUID() };
  await chats.world.machine.acquire(first.id, owner);
  const second = await created(call);
  assert.equal(second.queued_for_capacity, true);
  assert.equal(
    must(await call("getChat", { params: { chat: first.id } })).queued_for_capacity,
    undefined,
  );
});

test("without any model, no chat begins", async () => {
  await using chats = await chatsWorld();
  const models = { ...chats.deps.models, defaultFor: async () => null };
  const call = chatClient({ ...chats, deps: { ...chats.deps, models } });
  const result = await call("createChat", { body: { content: HELLO, client_type: "api" } });
  assert.equal(codeOf(result), "chat.model_missing");
});

test("a title is proposed by a model, or is not", async () => {
  await using chats = await chatsWorld();
  const params = { chat: (await created(chatClient(chats))).id };
  const proposed = must(await chatClient(chats)("proposeChatTitle", { params }));
  assert.equal(proposed.title, "A title");
  const deps = { ...chats.deps, proposeTitle: async () => fail("It is busy.") };
  const failed = await chatClient({ ...chats, deps })("proposeChatTitle", { params });
  assert.deepEqual(failed, {
    ok: false,
    failure: { code: "chat.model_failed", detail: "It is busy." },
  });
});

describe("messages", () => {
  test("to a busy chat are queued, and with the same key only once", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const params = { chat: (await created(call)).id };
    const body = { content: HELLO, busy_behavior: "queue", idempotency_key: "k" };
    const sent = must(await call("sendChatMessage", { params, body }));
    assert.equal(sent.queued, true);
    const again = must(await call("sendChatMessage", { params, body }));
    assert.deepEqual(again, JSON.parse(JSON.stringify(sent)));
    const page = must(await call("listChatMessages", { params }));
    assert.deepEqual(
      page.queued_messages.map(({ id }) => id),
      [sent.queued_message?.id],
    );
  });

  test("to a chat that rests begin a turn, and with the same key only one", async () => {
    await using chats = await chatsWorld();
    const unlimited = { name: "test", text: () => "true", values: [] };
    const call = chatClient({ ...chats, deps: { ...chats.deps, unlimited: () => unlimited } });
    const { machine } = chats.world;
    const params = { chat: (await created(call)).id };
    const ends = async () => must(await machine.change(params.chat, (chat) => chat.finishTurn()));
    await ends();
    const body = { content: HELLO, busy_behavior: "queue", idempotency_key: "k" };
    const sent = must(await call("sendChatMessage", { params, body }));
    assert.deepEqual([sent.queued, sent.messages], [false, [sent.message]]);
    const plain: unknown = JSON.parse(JSON.stringify(sent));
    // While it is worked on, and when it rests again.
    assert.deepEqual(must(await call("sendChatMessage", { params, body })), plain);
    await ends();
    assert.deepEqual(must(await call("sendChatMessage", { params, body })), plain);
    const other = { ...body, content: [{ type: "text", text: "other" }] };
    assert.equal(
      codeOf(await call("sendChatMessage", { params, body: other })),
      "chat.request_key_reused",
    );
    const { messages } = must(await call("listChatMessages", { params }));
    assert.deepEqual(messages[0], sent.message);
    assert.equal(messages.filter(({ role }) => role === "user").length, 2);
  });

  test("with a tool server that there is not are refused; with one that the chat has already, never", async () => {
    await using chats = await chatsWorld();
    const [had, gone] = [randomUUID(), randomUUID()];
    const { id } = await created(chatClient(chats), { mcp_server_ids: [had] });
    const deps = { ...chats.deps, chooseMcpServers: async () => null };
    const call = chatClient({ ...chats, deps });
    const params = { chat: id };
    const body = { content: HELLO, busy_behavior: "queue" };
    const send = (mcp_server_ids: readonly string[]) =>
      call("sendChatMessage", { params, body: { ...body, mcp_server_ids } });
    const refused = await send([had, gone]);
    assert.ok(!refused.ok && refused.failure.code === "request.invalid");
    assert.equal(refused.failure.validations?.[0]?.field, "mcp_server_ids");
    const { messages } = must(await call("listChatMessages", { params }));
    const message = messages.find(({ role }) => role === "user")?.id;
    const edit = (mcp_server_ids: readonly string[]) =>
      call("editChatMessage", {
        params: { ...params, message },
        body: { content: HELLO, mcp_server_ids },
      });
    assert.equal(codeOf(await edit([gone])), "request.invalid");
    must(await edit([had]));
    must(await send([had]));
    assert.deepEqual(must(await call("getChat", { params })).mcp_server_ids, [had]);
  });

  test("wait, where nothing else is said, and in no way that there is not", () => {
    const read = (more: object) => sendChatMessage.body.safeParse({ content: HELLO, ...more }).data;
    assert.equal(read({})?.busy_behavior, "queue");
    assert.equal(read({ busy_behavior: "interrupt" })?.busy_behavior, "interrupt");
    for (const busy_behavior of ["", "drop", null])
      assert.equal(read({ busy_behavior }), undefined);
  });

  test("beyond the queue's length are refused, and lost to nobody", async () => {
    assert.equal(QUEUE_MAX_DEFAULT, 20);
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const params = { chat: (await created(call)).id };
    const send = () =>
      call("sendChatMessage", { params, body: { content: HELLO, busy_behavior: "queue" } });
    for (let index = 0; index < QUEUE_MAX_DEFAULT; index += 1) must(await send());
    assert.equal(codeOf(await send()), "chat.queue_full");
    const { queued_messages: queue } = must(await call("listChatMessages", { params }));
    assert.equal(queue.length, QUEUE_MAX_DEFAULT);
  });

  test("that wait can be changed, moved and deleted", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const params = { chat: (await created(call)).id };
    const send = async (text: string) => {
      const body = { content: [{ type: "text", text }], busy_behavior: "queue" };
      return must(await call("sendChatMessage", { params, body })).queued_message?.id ?? 0;
    };
    const [one, two, three] = [await send("one"), await send("two"), await send("three")];
    const of = (queued: number) => ({ params: { ...params, queued } });
    must(await call("updateQueuedChatMessage", { ...of(three), body: { index: 0 } }));
    must(
      await call("updateQueuedChatMessage", {
        ...of(one),
        body: { content: [{ type: "text", text: "first" }] },
      }),
    );
    must(await call("deleteQueuedChatMessage", of(two)));
    const { queued_messages: queue } = must(await call("listChatMessages", { params }));
    assert.deepEqual(
      queue.map(({ id, content }) => [id, content[0]]),
      [
        [three, { type: "text", text: "three" }],
        [one, { type: "text", text: "first" }],
      ],
    );
    assert.equal(codeOf(await call("deleteQueuedChatMessage", of(two))), "resource.not_found");
  });

  test("come in pages", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const params = { chat: (await created(call)).id };
    await chats.world.machine.change(params.chat, (chat) =>
      chat.commitStep(
        Array.from({ length: 4 }, (_, index) => ({
          role: "assistant" as const,
          content: [{ type: "text" as const, text: String(index) }],
        })),
      ),
    );
    const latest = must(await call("listChatMessages", { params, query: { limit: 2 } }));
    assert.equal(latest.has_more, true);
    const before = latest.messages.at(-1)?.id;
    const older = must(
      await call("listChatMessages", { params, query: { limit: 10, before_id: before } }),
    );
    assert.equal(older.has_more, false);
    assert.equal(older.messages.length, 3);
    must(
      await call("sendChatMessage", { params, body: { content: HELLO, busy_behavior: "queue" } }),
    );
    for (const [query, waiting] of [
      [{}, 1],
      [{ before_id: before }, 0],
      [{ after_id: 0 }, 0],
    ] as const) {
      const { queued_messages: queue } = must(await call("listChatMessages", { params, query }));
      assert.equal(queue.length, waiting, "what waits is told with the latest page");
    }
    const ids = [...latest.messages, ...older.messages].map(({ id }) => id);
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => b - a),
      "the latest first",
    );
    const oldest = older.messages.at(-1)?.id ?? 0;
    const forward = must(
      await call("listChatMessages", { params, query: { limit: 2, after_id: oldest } }),
    );
    assert.ok((forward.messages[0]?.id ?? 0) < (forward.messages[1]?.id ?? 0));
    const wrong = await call("listChatMessages", {
      params,
      query: { limit: 2, after_id: 5, before_id: 5 },
    });
    assert.equal(codeOf(wrong), "request.invalid");
  });

  test("are edited by replacing them and dropping what followed", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const chat = await created(call);
    await chats.world.machine.change(chat.id, (locked) =>
      locked.commitStep([{ role: "assistant", content: [{ type: "text", text: "done" }] }]),
    );
    const page = must(await call("listChatMessages", { params: { chat: chat.id } }));
    const [answer, asked] = page.messages;
    const edited = must(
      await call("editChatMessage", {
        params: { chat: chat.id, message: asked?.id },
        body: { content: [{ type: "text", text: "better" }] },
      }),
    );
    assert.deepEqual(edited.deleted_message_ids, [asked?.id, answer?.id]);
    const after = must(await call("listChatMessages", { params: { chat: chat.id } }));
    assert.deepEqual(
      after.messages.map(({ id }) => id),
      [edited.message.id],
    );
    const wrong = await call("editChatMessage", {
      params: { chat: chat.id, message: answer?.id },
      body: { content: HELLO },
    });
    assert.equal(codeOf(wrong), "resource.not_found");
  });

  test("carry the API key of the request that each of them came with", async () => {
    await using chats = await chatsWorld();
    const { machine } = chats.world;
    const atOnce = {
      ...chats.deps,
      unlimited: () => ({ name: "test", text: () => "true", values: [] }),
    };
    const content = [{ type: "text", text: "created" }];
    const params = { chat: (await created(await signedIn(chats, "k-create"), { content })).id };
    const send = async (text: string, deps = chats.deps) => {
      const body = { content: [{ type: "text", text }], busy_behavior: "queue" };
      const call = await signedIn({ ...chats, deps }, `k-${text}`);
      return must(await call("sendChatMessage", { params, body })).queued_message?.id;
    };
    const ends = () => machine.change(params.chat, (chat) => chat.finishTurn());
    await ends();
    await send("sent");
    await ends();
    await send("fast", atOnce);
    const first = ["created: k-create", "sent: k-sent", "fast: k-fast"];
    assert.deepEqual(await keysOf(chats, "chat_messages"), first);
    await send("next");
    const moved = { params: { ...params, queued: await send("moved") } };
    assert.deepEqual(await keysOf(chats, "chat_queued_messages"), [
      "next: k-next",
      "moved: k-moved",
    ]);
    // Who moves what waits did not write it.
    const other = await signedIn(chats, "k-other");
    assert.deepEqual(must(await other("promoteQueuedChatMessage", moved)), { message: null });
    must(await machine.change(params.chat, (chat) => chat.finishInterruption([])));
    await ends();
    const both = ["moved: k-moved", "next: k-next"];
    assert.deepEqual(await keysOf(chats, "chat_messages"), [...first, ...both]);
    const [newest] = must(await other("listChatMessages", { params })).messages;
    const edited = { params: { ...params, message: newest?.id } };
    const edit = await signedIn(chats, "k-edit");
    must(await edit("editChatMessage", { ...edited, body: { content } }));
    assert.deepEqual(await keysOf(chats, "chat_messages"), [
      ...first,
      "moved: k-moved",
      "created: k-edit",
    ]);
  });

  test("of a person are listed as prompts", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const chat = await created(call);
    const { prompts } = must(
      await call("listChatPrompts", { params: { chat: chat.id }, query: { limit: 5 } }),
    );
    assert.deepEqual(
      prompts.map(({ text }) => text),
      [HELLO[0].text],
    );
  });
});

describe("what a state does not allow", () => {
  test("is a conflict that says the state", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const chat = await chats.world.chatIn("W");
    const result = await call("interruptChat", { params: { chat: chat.id } });
    assert.ok(!result.ok);
    assert.deepEqual(result.failure, {
      code: "chat.state_conflict",
      detail: "The chat is waiting for a message.",
    });
    // Nor is one repaired that is in order.
    assert.equal(
      codeOf(await call("reconcileChat", { params: { chat: chat.id } })),
      "chat.state_conflict",
    );
  });

  test("a stop that comes late does not stop another turn than the one it was for", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const { id, turn_message_id: first } = await created(call);
    const params = { chat: id };
    const stop = async (turn?: number) =>
      call("interruptChat", { params, body: { turn_message_id: turn } });
    const body = { content: HELLO, busy_behavior: "queue" };
    must(await call("sendChatMessage", { params, body }));
    must(await chats.world.machine.change(id, (chat) => chat.finishTurn()));
    const late = await stop(first);
    assert.ok(!late.ok);
    assert.deepEqual(late.failure, {
      code: "chat.state_conflict",
      detail: "The chat answers another message by now. Nothing was stopped.",
    });
    const working = must(await call("getChat", { params }));
    assert.equal(working.status, "running");
    assert.ok((working.turn_message_id ?? 0) > (first ?? 0));
    const { messages } = must(await call("listChatMessages", { params, query: { limit: 5 } }));
    assert.equal(working.turn_message_id, messages.find(({ role }) => role === "user")?.id);
    assert.equal(must(await stop(working.turn_message_id)).status, "interrupting");
    assert.equal(codeOf(await stop(working.turn_message_id)), "chat.state_conflict");
  });

  test("an edited message's turn is another one, and whoever names none stops what there is", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const { id, turn_message_id: first } = await created(call);
    const edit = { params: { chat: id, message: first }, body: { content: HELLO } };
    must(await call("editChatMessage", edit));
    const before = { params: { chat: id }, body: { turn_message_id: first } };
    assert.equal(codeOf(await call("interruptChat", before)), "chat.state_conflict");
    const stopped = must(await call("interruptChat", { params: { chat: id } }));
    assert.equal(stopped.status, "interrupting");
  });

  test("a chat of nobody is not found", async () => {
    await using chats = await chatsWorld();
    const result = await chatClient(chats)("interruptChat", { params: { chat: randomUUID() } });
    assert.equal(codeOf(result), "resource.not_found");
  });

  test("summing up needs an answer to sum up", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const { id: chat } = await chats.world.chatIn("W");
    assert.equal(must(await call("compactChat", { params: { chat } })).status, "running");
    const empty = await created(call);
    const { machine } = chats.world;
    must(await machine.change(empty.id, (locked) => locked.finishTurn()));
    const refused = await call("compactChat", { params: { chat: empty.id } });
    assert.equal(codeOf(refused), "chat.state_conflict");
  });

  test("clearing leaves what is seen, once", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const params = { chat: (await chats.world.chatIn("W")).id };
    const cleared = must(await call("clearChat", { params }));
    assert.equal(cleared.status, "waiting");
    const { messages } = must(await call("listChatMessages", { params }));
    assert.equal(messages.length, 4);
    assert.equal(codeOf(await call("clearChat", { params })), "chat.state_conflict");
  });
});
