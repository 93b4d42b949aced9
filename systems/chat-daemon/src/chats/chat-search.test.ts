/** Finding chats by what was said in them, on a real database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@atelier/base/system-clock";
import { readAllWords } from "../search/chat-words-task.ts";
import { must, type ChatWorld } from "../state/chat-world-testkit.ts";
import { showChats } from "./chat-actions.ts";
import { parseChatSearch } from "./chat-search.ts";
import { chatsWorld, type ChatsWorld } from "./chats-testkit.ts";

async function find({ deps, caller }: ChatsWorld, q: string) {
  const page = { q, labels: [], limit: 50, offset: 0, afterId: null };
  return showChats(deps, caller, page);
}

const titles = async (chats: ChatsWorld, q: string): Promise<readonly string[]> =>
  must(await find(chats, q))
    .map(({ title }) => title)
    .toSorted();

const read = ({ world }: ChatsWorld): Promise<number> =>
  readAllWords({ database: world.database, clock: systemClock }, new AbortController().signal);

async function said(
  world: ChatWorld,
  title: string,
  text: string,
  parentId: string | null = null,
): Promise<string> {
  const message = { role: "user" as const, ...world.user(text) };
  const messages = [{ ...message, reasoningEffort: null, modelConfigId: null }];
  const family = parentId === null ? {} : { parentChatId: parentId, rootChatId: parentId };
  return must(await world.machine.create(world.newChat({ title, messages, ...family }))).chat.id;
}

test("chats are found by words of their messages in any form, by phrases, and by parts of titles", async () => {
  await using chats = await chatsWorld();
  const { world } = chats;
  await said(world, "Roof", "Please repair the leaking gutters before winter");
  await said(world, "Cellar", "Dry the walls");
  assert.deepEqual(await titles(chats, "search:gutter"), [], "not read yet");
  assert.equal(await read(chats), 2);
  assert.equal(await read(chats), 0, "nothing is read twice");
  for (const [q, found] of [
    ["search:gutter", ["Roof"]],
    ['search:"leaks winter"', ["Roof"]],
    [String.raw`search:"\"winter leaking\""`, []],
    [String.raw`search:"\"leaking gutters\""`, ["Roof"]],
    ['search:"wall or gutter"', ["Cellar", "Roof"]],
    ['search:"-gutter repair"', []],
    ["search:ella", ["Cellar"]],
    ['search:"?!"', []],
    ["search:gutter status:error", []],
  ] as const) {
    assert.deepEqual(await titles(chats, q), found, q);
  }
  for (const q of ["search:", "search:a title:b", "gutter"]) {
    assert.equal((await find(chats, q)).ok, false, q);
  }
});

test("what is said later and what is taken back count with the next reading", async () => {
  await using chats = await chatsWorld();
  const { world } = chats;
  const id = await said(world, "Roof", "Mend the gutters");
  await read(chats);
  must(
    await world.machine.change(id, async (chat) => {
      const content = [{ type: "text" as const, text: "The chimney was mended" }];
      must(await chat.commitStep([{ role: "assistant", content }]));
      return chat.finishTurn();
    }),
  );
  assert.equal(await read(chats), 1);
  assert.deepEqual(await titles(chats, "search:chimney"), ["Roof"]);
  await world.database.pool.query(
    "update chat_messages set deleted = true where chat_id = $1 and role = 'user'",
    [id],
  );
  await world.machine.change(id, (chat) => chat.sendMessage(world.user("And now?"), "queue"));
  await read(chats);
  assert.deepEqual(await titles(chats, "search:gutters"), []);
});

test("what an agent said that a chat began finds that chat; others' chats are never found", async () => {
  await using chats = await chatsWorld();
  const { world, caller } = chats;
  const root = await said(world, "Roof", "Ask somebody");
  await said(world, "Child", "Count the tiles", root);
  await read(chats);
  assert.deepEqual(await titles(chats, "search:tile"), ["Roof"]);
  const others = { ...chats, caller: { ...caller, userId: crypto.randomUUID(), may: () => true } };
  assert.deepEqual(await titles(others, "search:tile"), []);
});

test("words longer than can be indexed, and very much text, do no harm", async () => {
  await using chats = await chatsWorld();
  const { world } = chats;
  const rare = Array.from({ length: 120_000 }, (_, index) => index.toString(36)).join(" ");
  await said(world, "Much", rare);
  await said(world, "Long", `${"x".repeat(5_000)} needle`);
  assert.equal(await read(chats), 2);
  assert.deepEqual(await titles(chats, "search:needle"), ["Long"]);
});

for (const q of [
  "roof",
  "owner:ann",
  "archived:maybe",
  "has_unread:1",
  "status:waiting,asleep",
  "section:attic",
  "source:everybody",
  "source:shared_with_me section:idle",
  "source:shared_with_me has_unread:true",
  "title:a title:b",
]) {
  test(`the search ${q} is refused, and says that it is the search`, () => {
    const parsed = parseChatSearch(q, []);
    assert.ok(!parsed.ok);
    assert.deepEqual([...new Set(parsed.failure.validations?.map(({ field }) => field))], ["q"]);
  });
}

test("terms hold together, and labels are each key once", () => {
  const parsed = must(
    parseChatSearch("archived:true status:waiting,error has_unread:false title:Roof", [
      "team:core:web",
      "team:core:web",
      "tier:",
    ]),
  );
  assert.deepEqual(
    [parsed.archived, parsed.statuses, parsed.hasUnread, parsed.titlePart, parsed.source],
    [true, ["waiting", "error"], false, "Roof", "own"],
  );
  assert.deepEqual(parsed.labels, { team: "core:web", tier: "" });
  for (const labels of [["team"], [":core"], [""], ["team:core", "team:web"]]) {
    const refused = parseChatSearch("", labels);
    assert.ok(!refused.ok);
    assert.equal(refused.failure.validations?.[0]?.field, "label");
  }
});
