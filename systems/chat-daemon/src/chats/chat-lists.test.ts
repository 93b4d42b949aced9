/** Lists of chats on a real database: their order, their pins and labels, and what finds a chat. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { must } from "../state/chat-world-testkit.ts";
import { chatClient, codeOf, created } from "./chat-client-testkit.ts";
import { chatsWorld } from "./chats-testkit.ts";

describe("lists", () => {
  test("have pinned chats first, then the latest, by pages without gaps", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push((await created(call)).id);
    const pin = async (chat: string, pinOrder: number) =>
      must(await call("updateChat", { params: { chat }, body: { pin_order: pinOrder } }));
    await pin(ids[1] ?? "", 1);
    await pin(ids[3] ?? "", 1);
    await pin(ids[3] ?? "", 1);
    const expected = [ids[3], ids[1], ids[4], ids[2], ids[0]];
    const seen: string[] = [];
    for (let after: string | undefined; seen.length < 5; after = seen.at(-1)) {
      const query = { limit: 2, ...(after === undefined ? {} : { after_id: after }) };
      const page = must(await call("listChats", { query }));
      assert.ok(page.length > 0);
      seen.push(...page.map(({ id }) => id));
    }
    assert.deepEqual(seen, expected);
  });

  test("have pins in the order that is wished, of chats of one's own that are not archived", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const { database } = chats.world;
    const [a, b, c] = [await created(call), await created(call), await created(call)];
    const change = (chat: string, body: object) => call("updateChat", { params: { chat }, body });
    const pins = async () => {
      const shown = must(await call("listChats", { query: { q: "archived:any" } }));
      const names = new Map([
        [a.id, "a"],
        [b.id, "b"],
        [c.id, "c"],
      ]);
      return shown
        .filter(({ pin_order: order }) => order > 0)
        .map(({ id, pin_order: order }) => `${names.get(id)}${order}`);
    };
    for (const [chat, place, want, isTouched] of [
      [a.id, 7, ["a1"], true],
      // A new one goes to the end, wherever it is wished.
      [b.id, 1, ["a1", "b2"], true],
      [c.id, 1, ["a1", "b2", "c3"], true],
      [c.id, 2, ["a1", "c2", "b3"], false],
      [a.id, 99, ["c1", "b2", "a3"], false],
      [b.id, 0, ["c1", "a2"], false],
      [b.id, 0, ["c1", "a2"], false],
    ] as const) {
      await database.pool.query("update chats set updated_at = now() - interval '1 day'");
      must(await change(chat, { pin_order: place }));
      assert.deepEqual(await pins(), want, `at ${place}`);
      const { rows } = await database.pool.query(
        "select id from chats where updated_at > now() - interval '1 hour'",
      );
      assert.deepEqual(rows, isTouched ? [{ id: chat }] : [], `touched at ${place}`);
    }
    must(await chats.world.machine.change(c.id, (chat) => chat.finishTurn()));
    must(await change(c.id, { archived: true }));
    assert.deepEqual(await pins(), ["a1"], "an archived chat is not pinned");
    for (const [chat, body] of [
      [c.id, { pin_order: 1 }],
      [b.id, { pin_order: 1, archived: true }],
    ] as const) {
      const refused = await change(chat, body);
      assert.equal(codeOf(refused), "request.invalid");
    }
    must(await change(c.id, { pin_order: 1, archived: false }));
    assert.deepEqual(await pins(), ["a1", "c2"]);
    const family = { parentChatId: a.id, rootChatId: a.id };
    const child = await chats.world.chatIn("W", family);
    assert.equal(codeOf(await change(child.id, { pin_order: 1 })), "request.invalid");
  });

  test("show labels as they were last written: none given keeps them, an empty list clears them", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const { id } = await created(call, { labels: { team: "core", tier: "1" } });
    for (const [body, want] of [
      [{ title: "T" }, { team: "core", tier: "1" }],
      [{ labels: null }, { team: "core", tier: "1" }],
      [{ labels: { team: "web" } }, { team: "web" }],
      [{ labels: {} }, {}],
    ] as const) {
      must(await call("updateChat", { params: { chat: id }, body }));
      assert.deepEqual(must(await call("getChat", { params: { chat: id } })).labels, want);
    }
  });

  test("are searched by title, status, labels and what is unread", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const parser = await created(call, { labels: { team: "core" } });
    const docs = await created(call, { content: [{ type: "text", text: "Write docs" }] });
    const find = async (query: object) =>
      must(await call("listChats", { query })).map(({ id }) => id);
    assert.deepEqual(await find({ q: "title:DOCS" }), [docs.id]);
    assert.deepEqual(await find({ label: "team:core" }), [parser.id]);
    assert.deepEqual(await find({ label: ["team:core", "tier:1"] }), [], "all of them");
    assert.deepEqual(await find({ q: "status:waiting,error" }), []);
    await chats.world.machine.change(docs.id, (chat) =>
      chat.commitStep([{ role: "assistant", content: [{ type: "text", text: "ok" }] }]),
    );
    assert.deepEqual(await find({ q: "has_unread:true" }), [docs.id]);
    assert.equal(codeOf(await call("listChats", { query: { q: "nonsense" } })), "request.invalid");
    assert.equal(codeOf(await call("listChats", { query: { label: "team" } })), "request.invalid");
  });

  test("leave archived chats out, unless asked", async () => {
    await using chats = await chatsWorld();
    const call = chatClient(chats);
    const chat = await chats.world.chatIn("W");
    must(await call("updateChat", { params: { chat: chat.id }, body: { archived: true } }));
    assert.deepEqual(must(await call("listChats", {})), []);
    const found = must(await call("listChats", { query: { q: "archived:any" } }));
    assert.deepEqual(
      found.map(({ id, archived }) => [id, archived]),
      [[chat.id, true]],
    );
    const again = await call("updateChat", { params: { chat: chat.id }, body: { archived: true } });
    assert.equal(codeOf(again), "request.invalid");
  });
});
