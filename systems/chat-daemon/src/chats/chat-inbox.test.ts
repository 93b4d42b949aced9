/** Where chats stand in their owner's inbox, through all that moves them, on a real database. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { Chat } from "@atelier/contract/http/chats";
import { callOf, must, SAYS, type ChatWorld } from "../state/chat-world-testkit.ts";
import { NO_USAGE } from "../state/chat-row.ts";
import { markReadBy, showChat, showChats } from "./chat-actions.ts";
import { chatsWorld, type ChatsWorld } from "./chats-testkit.ts";

const section = async ({ deps, caller }: ChatsWorld, name: string): Promise<readonly Chat[]> =>
  must(
    await showChats(deps, caller, {
      ...{ q: `section:${name}`, labels: [], limit: 50, offset: 0, afterId: null },
    }),
  );

const titles = async (chats: ChatsWorld, name: string): Promise<readonly string[]> =>
  (await section(chats, name)).map(({ title }) => title);

async function working(world: ChatWorld, title: string): Promise<string> {
  return must(await world.machine.create(world.newChat({ title }))).chat.id;
}

/** A turn that ends with these rows. */
async function finished(
  world: ChatWorld,
  title: string,
  ...rows: readonly (readonly ["assistant" | "tool", readonly MessagePart[]])[]
): Promise<string> {
  const id = await working(world, title);
  must(
    await world.machine.change(id, async (chat) => {
      must(await chat.commitStep(rows.map(([role, content]) => ({ role, content }))));
      return chat.finishTurn();
    }),
  );
  return id;
}

const SAID: readonly ["assistant", readonly MessagePart[]] = [
  "assistant",
  [{ type: "text", text: "All tests pass." }],
];
const resultOf = (tool: string, isError = false): MessagePart => ({
  type: "tool-result",
  ...{ tool_call_id: "call", tool_name: tool, result: {} },
  ...(isError ? { is_error: true } : {}),
});
const asked = (
  tool: string,
  isError = false,
): readonly (readonly ["assistant" | "tool", readonly MessagePart[]])[] => [
  ["assistant", [callOf("call", tool)]],
  ["tool", [resultOf(tool, isError)]],
];

describe("the inbox", () => {
  test("has each chat in the section that it belongs to", async () => {
    await using chats = await chatsWorld();
    const { world, deps, caller } = chats;
    await working(world, "works");
    await finished(world, "answered", SAID);
    const seen = await finished(world, "seen", SAID);
    await markReadBy(deps, seen, caller.userId);
    await finished(world, "asks", ...asked("ask_user_question"));
    await finished(world, "plans", ...asked("propose_plan"));
    await finished(world, "asked in vain", ...asked("ask_user_question", true));
    const failed = await working(world, "failed");
    must(
      await world.machine.change(failed, (chat) =>
        chat.finishError({ message: "No.", retryable: false }),
      ),
    );
    assert.deepEqual(await titles(chats, "working"), ["works"]);
    assert.deepEqual(await titles(chats, "needs_you"), ["asks", "plans", "failed"]);
    assert.deepEqual(await titles(chats, "unreviewed"), ["asked in vain", "answered"]);
    assert.deepEqual(await titles(chats, "idle"), ["seen"]);
    const [question, plan] = await section(chats, "needs_you");
    assert.deepEqual([question?.asks, plan?.asks], ["question", "plan"]);
  });

  test("a chat that asks works again once it is answered, and since then", async () => {
    await using chats = await chatsWorld();
    const { world, deps } = chats;
    const id = await finished(world, "asks", ...asked("ask_user_question"));
    const before = must(await showChat(deps, id));
    must(await world.machine.change(id, (chat) => chat.sendMessage(world.user("yes"), "queue")));
    const after = must(await showChat(deps, id));
    assert.deepEqual([after.inbox_section, after.asks], ["working", undefined]);
    assert.ok(after.inbox_since > before.inbox_since);
    must(await world.machine.change(id, (chat) => chat.finishTurn()));
    assert.equal(must(await showChat(deps, id)).asks, undefined, "it was answered");
  });

  test("pages go on behind the last chat of the page before, longest waiting first", async () => {
    await using chats = await chatsWorld();
    const { world, deps, caller } = chats;
    for (const title of ["a", "b", "c"]) {
      await finished(world, title, ...asked("propose_plan"));
    }
    const [first] = await section(chats, "needs_you");
    const query = { q: "section:needs_you", labels: [], limit: 1, offset: 0 };
    const next = must(await showChats(deps, caller, { ...query, afterId: first?.id ?? null }));
    assert.deepEqual([first?.title, next[0]?.title], ["a", "b"]);
  });

  test("chats of before the inbox are placed as those of today are", async () => {
    await using chats = await chatsWorld();
    const { world } = chats;
    await working(world, "works");
    await finished(world, "answered", SAID);
    await finished(world, "asks", ...asked("ask_user_question"));
    const { pool } = world.database;
    const placed = async () =>
      (
        await pool.query(
          `select title, asks, last_answer_id, inbox_section, inbox_since = updated_at as is_since
           from chats order by title`,
        )
      ).rows;
    const today = await placed();
    await pool.query(
      `update chats set asks = null, last_answer_id = null, inbox_section = 'working',
         inbox_since = now() + interval '1 day'`,
    );
    assert.notDeepEqual(await placed(), today);
    const migration = readFileSync(
      join(import.meta.dirname, "../../../../libs/database/migrations/0015_chat_inbox.sql"),
      "utf8",
    );
    const [, statements = ""] = /(update chats c set[\s\S]*)create index/.exec(migration) ?? [];
    await pool.query(statements);
    assert.deepEqual(await placed(), today);
  });

  test("an archived chat is in no section", async () => {
    await using chats = await chatsWorld();
    const id = await finished(chats.world, "gone", SAID);
    must(await chats.world.machine.setFamilyArchived(id, true));
    assert.deepEqual(await titles(chats, "unreviewed"), []);
  });
});

describe("the last action", () => {
  test("is what it wrote, with how full the context is", async () => {
    await using chats = await chatsWorld();
    const { world, deps } = chats;
    const id = await working(world, "wrote");
    must(
      await world.machine.change(id, (chat) =>
        chat.commitStep([
          {
            ...SAYS,
            content: [{ type: "text", text: "x".repeat(500) }],
            usage: { ...NO_USAGE, inputTokens: 900, cacheReadTokens: 90, outputTokens: 10 },
          },
        ]),
      ),
    );
    const shown = must(await showChat(deps, id));
    assert.equal(shown.last_action?.subject, "x".repeat(160));
    assert.equal(shown.last_action.tool_name, undefined);
    assert.equal(shown.context_tokens, 1_000);
    assert.ok((shown.context_limit ?? 0) > 0);
  });

  test("is a call and what it is about, done once it has a result", async () => {
    await using chats = await chatsWorld();
    const { world, deps } = chats;
    const id = await working(world, "calls");
    const call: MessagePart = {
      ...{ type: "tool-call", tool_call_id: "call", tool_name: "execute" },
      args: { workdir: "/src", command: "npm test" },
    };
    must(
      await world.machine.change(id, (chat) =>
        chat.commitStep([{ role: "assistant", content: [call] }]),
      ),
    );
    const { last_action: action } = must(await showChat(deps, id));
    assert.deepEqual(
      [action?.tool_name, action?.subject, action?.is_done],
      ["execute", "npm test", false],
    );
    must(
      await world.machine.change(id, (chat) =>
        chat.commitStep([{ role: "tool", content: [resultOf("execute")] }]),
      ),
    );
    assert.equal(must(await showChat(deps, id)).last_action?.is_done, true);
  });

  test("is absent where nothing has been done", async () => {
    await using chats = await chatsWorld();
    const id = await working(chats.world, "new");
    const shown = must(await showChat(chats.deps, id));
    assert.deepEqual([shown.last_action, shown.context_tokens], [undefined, undefined]);
  });
});
