import type { ChatInboxSection } from "@atelier/contract/chat/chat-words";
import type { Chat } from "@atelier/contract/http/chats";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  countText,
  listInput,
  nextInput,
  rowAfterKey,
  sinceText,
  withChat,
  withoutChat,
} from "./inbox-sections.ts";

const ID = "0b8f1f5e-1111-4a4a-8b8b-0a4c1f1e2d3c";
const at = (minute: number): string => `2026-11-21T10:${String(minute).padStart(2, "0")}:00.000Z`;

function chat(id: string, minute: number, more: Partial<Chat> = {}): Chat {
  return {
    ...{ id, organization_id: ID, owner_id: ID, last_model_config_id: ID, title: id },
    ...{ status: "waiting", last_turn_summary: null, archived: false, shared: false, pin_order: 0 },
    ...{ created_at: at(0), updated_at: at(minute), mcp_server_ids: [], labels: {} },
    ...{ has_unread: false, client_type: "ui", queue_length: 0, children: [] },
    ...{ inbox_section: "idle", inbox_since: at(minute) },
    ...more,
  };
}

const ids = (pages: readonly (readonly Chat[])[]) => pages.map((page) => page.map(({ id }) => id));

test("a section is asked for by its name, and by what was typed", () => {
  assert.deepEqual(listInput("working", "  ").query, { q: "section:working", limit: 50 });
  assert.equal(listInput("idle", 'say "hi"').query?.q, 'section:idle search:"say hi"');
  assert.equal(listInput("idle", "status:error").query?.q, "section:idle status:error");
  assert.equal(listInput("archived", "").query?.q, "archived:true");
  assert.equal(listInput("shared", "bees").query?.q, 'source:shared_with_me search:"bees"');
});

test("a page that is not full is the last one", () => {
  const input = listInput("idle", "");
  assert.equal(nextInput("idle", input, [chat("a", 1)]), null);
  const full = Array.from({ length: 20 }, (_, index) => chat(`c${index}`, index));
  assert.equal(nextInput("idle", input, full)?.query?.after_id, "c19");
});

for (const { name, section, minute, after } of [
  { name: "the latest first", section: "idle", minute: 5, after: [["c8", "new", "c4"], ["c2"]] },
  { name: "before all", section: "idle", minute: 9, after: [["new", "c8", "c4"], ["c2"]] },
  {
    name: "behind all",
    section: "idle",
    minute: 1,
    after: [
      ["c8", "c4"],
      ["c2", "new"],
    ],
  },
] as const) {
  test(`a chat is put into its section: ${name}`, () => {
    const pages = [[chat("c8", 8), chat("c4", 4)], [chat("c2", 2)]];
    assert.deepEqual(ids(withChat(section, pages, chat("new", minute))), after);
  });
}

test("those that wait longest for the person come first", () => {
  const waits = (id: string, minute: number) => chat(id, minute, { inbox_section: "needs_you" });
  const pages = [[waits("a", 1), waits("c", 3)]];
  assert.deepEqual(ids(withChat("needs_you", pages, waits("b", 2))), [["a", "b", "c"]]);
});

test("what belongs behind a full page comes with the next one", () => {
  const full = Array.from({ length: 20 }, (_, index) => chat(`c${index}`, 59 - index));
  assert.deepEqual(withChat("idle", [full], chat("old", 0)), [full]);
});

for (const [name, more] of [
  ["one of another section", { inbox_section: "working" }],
  ["an archived one", { archived: true }],
  ["one of another agent's", { parent_chat_id: ID }],
] as const) {
  test(`${name} is taken out`, () => {
    const pages = [[chat("a", 2), chat("b", 1)]];
    assert.deepEqual(ids(withChat("idle", pages, chat("a", 2, more))), [["b"]]);
  });
}

test("a chat that changed stands once", () => {
  const pages = [[chat("a", 2), chat("b", 1)]];
  assert.deepEqual(ids(withChat("idle", pages, chat("b", 3))), [["b", "a"]]);
  assert.deepEqual(ids(withoutChat(pages, "b")), [["a"]]);
});

for (const [section, since, words] of [
  ["needs_you", at(0), "waiting 30 min"],
  ["working", "2026-11-21T10:29:18.000Z", "for 42 s"],
  ["unreviewed", "2026-11-21T08:25:00.000Z", "2 h 5 min ago"],
  ["idle", "2026-11-20T10:00:00.000Z", "1 day ago"],
  // The server's clock may be ahead.
  ["working", at(59), "for 0 s"],
] as const satisfies readonly (readonly [ChatInboxSection, string, string])[]) {
  test(`since ${since} it is told as: ${words}`, () => {
    const told = chat("a", 0, { inbox_section: section, inbox_since: since });
    assert.equal(sinceText(told, new Date(at(30))), words);
  });
}

test("a count says that there may be more", () => {
  assert.equal(countText(2, false), "2");
  assert.equal(countText(50, true), "50+");
});

for (const [key, current, next] of [
  ["j", -1, 0],
  ["j", 3, 3],
  ["k", 2, 1],
  ["k", -1, 0],
  ["n", -1, 1],
  ["n", 1, 3],
  ["n", 3, 1],
  ["x", 0, null],
] as const) {
  test(`${key} leads from row ${current} to ${next}`, () => {
    const rows = [false, true, false, true].map((needsYou) => ({ needsYou }));
    assert.equal(rowAfterKey(key, rows, current), next);
  });
}

test("n leads nowhere when nothing waits", () => {
  assert.equal(rowAfterKey("n", [{ needsYou: false }], 0), null);
  assert.equal(rowAfterKey("j", [], -1), null);
});
