import type { Chat } from "@atelier/contract/http/chats";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatNews } from "../inbox/chat-news-link.ts";
import { callOutOf } from "./call-outs.ts";

const ID = "0b8f1f5e-1111-4a4a-8b8b-0a4c1f1e2d3c";
const NOW = new Date("2026-11-21T10:00:00.000Z");

function news(chat: Partial<Chat>, change: "status_change" | "read" = "status_change"): ChatNews {
  const at = "2026-11-21T09:59:59.000Z";
  const whole = {
    ...{ id: ID, title: "Tidy up", status: "waiting", archived: false, has_unread: true },
    ...{ inbox_section: "unreviewed", inbox_since: at, children: [] },
    ...chat,
  } as unknown as Chat;
  return { kind: "changed", change, chat: whole, staysThere: false };
}

test("one is called to what asks, failed or is done, as far as one wants it", () => {
  const asks = news({ inbox_section: "needs_you", asks: "question" });
  const failed = news({
    ...{ inbox_section: "needs_you", status: "error" },
    last_error: { message: "The model is gone.", kind: "generic" } as Chat["last_error"],
  });
  assert.equal(callOutOf(asks, "needs_you", NOW)?.title, "Tidy up: asks you");
  assert.match(callOutOf(failed, "needs_you", NOW)?.body ?? "", /^The model is gone\. /);
  assert.equal(callOutOf(news({}), "needs_you", NOW), null);
  assert.equal(callOutOf(news({}), "done", NOW)?.title, "Tidy up: done");
  for (const each of [asks, failed, news({})]) assert.equal(callOutOf(each, "none", NOW), null);
});

test("nobody is called for what they saw, what works on, another agent's chat, or the archive", () => {
  for (const each of [
    news({}, "read"),
    news({ inbox_section: "working", status: "running" }),
    news({ inbox_section: "idle", has_unread: false }),
    news({ parent_chat_id: ID }),
    news({ archived: true }),
    { kind: "ready" } as const,
  ]) {
    assert.equal(callOutOf(each, "done", NOW), null);
  }
});

test("the same is called out once, and what comes after it again", () => {
  const first = callOutOf(news({}), "done", NOW)?.tag;
  assert.equal(callOutOf(news({}), "done", NOW)?.tag, first);
  const later = news({ inbox_since: "2026-11-21T10:30:00.000Z" });
  assert.notEqual(callOutOf(later, "done", NOW)?.tag, first);
});
