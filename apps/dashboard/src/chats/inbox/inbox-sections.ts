/** The sections of the inbox as pure lists: what each is asked for, where a chat belongs, what is next. */
import type { CallInput } from "@atelier/contract/client";
import type { ChatInboxSection } from "@atelier/contract/chat/chat-words";
import type { Chat, listChats } from "@atelier/contract/http/chats";

export type ListInput = CallInput<typeof listChats>;

/** What is looked at first is loaded in full, as far as people can take it in. */
const PAGE_SIZES: Readonly<Record<ChatInboxSection, number>> = {
  needs_you: 50,
  working: 50,
  unreviewed: 20,
  idle: 20,
};
const OTHER_PAGE_SIZE = 50;

export type InboxView = ChatInboxSection | "archived" | "shared";

export function pageSizeOf(view: InboxView): number {
  return view === "archived" || view === "shared" ? OTHER_PAGE_SIZE : PAGE_SIZES[view];
}

/** What people type is looked for in titles and in what was said, unless it is terms already. */
export function listInput(view: InboxView, typed: string): ListInput {
  const text = typed.trim();
  const terms =
    text === "" || /^\w+:/.test(text) ? text : `search:"${text.replaceAll(/["\\]/g, "")}"`;
  const q = [termOf(view), terms].filter(Boolean).join(" ");
  return { query: { q, limit: pageSizeOf(view) } };
}

function termOf(view: InboxView): string {
  if (view === "archived") return "archived:true";
  return view === "shared" ? "source:shared_with_me" : `section:${view}`;
}

/** Null: that was the last page. */
export function nextInput(
  view: InboxView,
  { query }: ListInput,
  page: readonly Chat[],
): ListInput | null {
  const last = page.at(-1);
  if (last === undefined || page.length < pageSizeOf(view)) return null;
  return { query: { ...query, after_id: last.id } };
}

type Pages = readonly (readonly Chat[])[];

/**
 * The pages of a section with a chat as it is now: taken out, or put where it belongs. One that belongs
 * behind all that is loaded comes with the next page.
 */
export function withChat(
  section: ChatInboxSection,
  pages: Pages,
  chat: Chat,
): readonly (readonly Chat[])[] {
  const without = withoutChat(pages, chat.id);
  const belongs =
    chat.inbox_section === section && !chat.archived && chat.parent_chat_id === undefined;
  if (!belongs) return without;
  const place = without.findIndex((page) => page.some((each) => isBehind(section, each, chat)));
  const isAllLoaded = (pages.at(-1)?.length ?? 0) < pageSizeOf(section);
  if (place < 0) {
    if (!isAllLoaded) return without;
    const last = without.at(-1) ?? [];
    return [...without.slice(0, -1), [...last, chat]];
  }
  return without.map((page, index) => {
    if (index !== place) return page;
    const at = page.findIndex((each) => isBehind(section, each, chat));
    return page.toSpliced(at, 0, chat);
  });
}

export function withoutChat(pages: Pages, chatId: string): readonly (readonly Chat[])[] {
  return pages.map((page) =>
    page.some(({ id }) => id === chatId) ? page.filter(({ id }) => id !== chatId) : page,
  );
}

/** Those that need somebody: longest waiting first. Others: latest first. */
function isBehind(section: ChatInboxSection, each: Chat, chat: Chat): boolean {
  return section === "needs_you"
    ? each.inbox_since > chat.inbox_since
    : each.inbox_since < chat.inbox_since;
}

/** `3`, or `50+` where more may follow. */
export function countText(count: number, hasMore: boolean): string {
  return hasMore ? `${count}+` : String(count);
}

/** How long a chat has been where it is, in the words of its section. */
export function sinceText({ inbox_section: section, inbox_since: since }: Chat, now: Date): string {
  const length = lengthText(Math.max(0, now.getTime() - Date.parse(since)));
  switch (section) {
    case "needs_you":
      return `waiting ${length}`;
    case "working":
      return `for ${length}`;
    case "unreviewed":
    case "idle":
      return `${length} ago`;
  }
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function lengthText(lengthMs: number): string {
  if (lengthMs < MINUTE_MS) return `${Math.floor(lengthMs / 1_000)} s`;
  if (lengthMs < HOUR_MS) return `${Math.floor(lengthMs / MINUTE_MS)} min`;
  if (lengthMs < DAY_MS) {
    const minutes = Math.floor((lengthMs % HOUR_MS) / MINUTE_MS);
    return `${Math.floor(lengthMs / HOUR_MS)} h ${minutes} min`;
  }
  const days = Math.floor(lengthMs / DAY_MS);
  return days === 1 ? "1 day" : `${days} days`;
}

/** The row that a key leads to. Null: the key is none of ours, or there is no row. */
export function rowAfterKey(
  key: string,
  rows: readonly { readonly needsYou: boolean }[],
  current: number,
): number | null {
  if (rows.length === 0) return null;
  if (key === "j") return Math.min(current + 1, rows.length - 1);
  if (key === "k") return Math.max(current - 1, 0);
  if (key !== "n") return null;
  const waiting = rows.flatMap(({ needsYou }, index) => (needsYou ? [index] : []));
  return waiting.find((index) => index > current) ?? waiting[0] ?? null;
}
