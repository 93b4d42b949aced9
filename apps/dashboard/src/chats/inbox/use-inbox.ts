/** One's chats by section, as they are at each moment: the server tells of every change. */
import { systemClock } from "@atelier/base/system-clock";
import type { ChatInboxSection } from "@atelier/contract/chat/chat-words";
import { requestPath } from "@atelier/contract/client";
import { watchChats } from "@atelier/contract/http/chat-sockets";
import { listChats, type Chat } from "@atelier/contract/http/chats";
import { getUser } from "@atelier/contract/http/users";
import {
  notifyManager,
  useQueryClient,
  type InfiniteData,
  type QueryClient,
  type UseInfiniteQueryResult,
} from "@tanstack/react-query";
import { useEffect } from "react";
import { keyOf, renewAnswers, usePages } from "../../api/use-endpoint.ts";
import { openSocket, probePath } from "../../browser/host.ts";
import { ChatNewsLink, type ChatNews, type NewsSocket } from "./chat-news-link.ts";
import {
  listInput,
  nextInput,
  pageSizeOf,
  withChat,
  withoutChat,
  type InboxView,
} from "./inbox-sections.ts";

/** Without news: what agents do is looked at this often. */
const UNCONNECTED_MS = 5_000;
/** In case news do not arrive: some proxies hold them back. */
const LOOK_AGAIN_MS = 30_000;

const ME = { user: "me" } as const;

type ChatPages = InfiniteData<Chat[]>;

export type SectionPages = UseInfiniteQueryResult<ChatPages>;

export function useChatList(
  view: InboxView,
  typed: string,
  { isConnected }: { readonly isConnected: boolean },
): SectionPages {
  const input = listInput(view, typed);
  return usePages(listChats, input, (last) => nextInput(view, input, last), {
    everyMs: view === "working" && !isConnected ? UNCONNECTED_MS : LOOK_AGAIN_MS,
    keepsFormer: true,
  });
}

/** Keeps the lists as they are on the server, for every page at once. */
export function useChatNews(told: {
  readonly onNews: (news: ChatNews) => void;
  readonly onConnected: (isConnected: boolean) => void;
}): void {
  const queryClient = useQueryClient();
  const { onNews, onConnected } = told;
  useEffect(() => {
    const moves = new GatheredMoves(queryClient);
    const link = new ChatNewsLink({
      clock: systemClock,
      // Its handlers take more than ours do: that is all the types differ in.
      open: () => openSocket(watchChats.path) as NewsSocket,
      isWelcome: async () => (await probePath(requestPath(getUser.path, ME, {}) ?? "")).isOk,
      onConnected,
      onNews: (news) => {
        onNews(news);
        if (news.kind !== "ready") moves.forget(idOf(news));
        if (news.kind === "changed" && news.staysThere) moves.add(news.chat);
        else if (news.kind === "changed") putChat(queryClient, news.chat, { staysThere: false });
        else if (news.kind === "deleted") dropChat(queryClient, news.chatId);
        else renewAnswers(queryClient, [listChats]).catch(() => {}); // The lists tell.
      },
    });
    return () => {
      link.close();
      moves.close();
    };
  }, [queryClient, onNews, onConnected]);
}

function idOf(news: Exclude<ChatNews, { readonly kind: "ready" }>): string {
  return news.kind === "deleted" ? news.chatId : news.chat.id;
}

const GATHERED_MS = 200;

/** What many agents do at once is shown at once: the lists are drawn again once for all of it. */
class GatheredMoves {
  readonly #queryClient: QueryClient;
  readonly #chats = new Map<string, Chat>();
  readonly #closed = new AbortController();

  constructor(queryClient: QueryClient) {
    this.#queryClient = queryClient;
  }

  add(chat: Chat): void {
    this.#chats.set(chat.id, chat);
    if (this.#chats.size > 1) return;
    systemClock.sleep(GATHERED_MS, this.#closed.signal).then(
      () => this.#show(),
      () => {}, // Nobody looks any more.
    );
  }

  /** Something newer is known of it. */
  forget(chatId: string): void {
    this.#chats.delete(chatId);
  }

  close(): void {
    this.#closed.abort();
  }

  #show(): void {
    const chats = [...this.#chats.values()];
    this.#chats.clear();
    notifyManager.batch(() => {
      for (const chat of chats) putChat(this.#queryClient, chat, { staysThere: true });
    });
  }
}

const SECTIONS: readonly ChatInboxSection[] = ["needs_you", "working", "unreviewed", "idle"];

/**
 * Shows the chat where it belongs now. Lists that were searched are asked for anew, unless all that can have
 * changed in them is this row.
 */
export function putChat(
  queryClient: QueryClient,
  chat: Chat,
  { staysThere }: { readonly staysThere: boolean },
): void {
  for (const section of SECTIONS) {
    changePages(queryClient, section, (pages) => withChat(section, pages, chat));
  }
  if (staysThere) replaceInSearches(queryClient, chat);
  else renewSearches(queryClient);
}

export function dropChat(queryClient: QueryClient, chatId: string): void {
  for (const section of SECTIONS) {
    changePages(queryClient, section, (pages) => withoutChat(pages, chatId));
  }
  renewSearches(queryClient);
}

function changePages(
  queryClient: QueryClient,
  section: ChatInboxSection,
  change: (pages: readonly (readonly Chat[])[]) => readonly (readonly Chat[])[],
): void {
  const queryKey = pagesKey(section);
  const held = queryClient.getQueryData<ChatPages>(queryKey);
  if (held === undefined) return;
  const changed = change(held.pages);
  const isSame =
    changed.length === held.pages.length &&
    changed.every((page, index) => page === held.pages[index]);
  if (isSame) return;
  const pages = changed.map((page) => [...page]);
  queryClient.setQueryData<ChatPages>(queryKey, { ...held, pages });
  const isCut = held.pages.some(
    (page, index) =>
      page.length === pageSizeOf(section) && (pages[index]?.length ?? 0) < page.length,
  );
  // A page that is short is taken for the last one.
  if (isCut) queryClient.invalidateQueries({ queryKey, exact: true }).catch(() => {}); // The list tells.
}

function pagesKey(view: InboxView): readonly unknown[] {
  return [...keyOf(listChats, listInput(view, "")), "pages"];
}

function renewSearches(queryClient: QueryClient): void {
  queryClient.invalidateQueries({ predicate: isSearch }).catch(() => {}); // The lists tell.
}

function replaceInSearches(queryClient: QueryClient, chat: Chat): void {
  queryClient.setQueriesData<ChatPages | Chat[]>({ predicate: isSearch }, (held) => {
    if (held === undefined || Array.isArray(held)) return held;
    if (!held.pages.some((page) => page.some(({ id }) => id === chat.id))) return held;
    const put = (each: Chat): Chat => (each.id === chat.id ? chat : each);
    return { ...held, pages: held.pages.map((page) => page.map(put)) };
  });
}

/** A list of chats that is none of the sections. */
function isSearch({ queryKey }: { readonly queryKey: readonly unknown[] }): boolean {
  const text = JSON.stringify(queryKey);
  return (
    queryKey[0] === listChats.path &&
    !SECTIONS.some((section) => JSON.stringify(pagesKey(section)) === text)
  );
}
