/** One's chats by section, as they are at each moment: the server tells of every change. */
import { systemClock } from "@atelier/base/system-clock";
import type { ChatInboxSection } from "@atelier/contract/chat/chat-words";
import { requestPath } from "@atelier/contract/client";
import { watchChats } from "@atelier/contract/http/chat-sockets";
import { listChats, type Chat } from "@atelier/contract/http/chats";
import { getUser } from "@atelier/contract/http/users";
import {
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

/** What agents do between changes of their state is no news: those that work are looked at this often. */
const WORKING_MS = 5_000;
/** In case news do not arrive: some proxies hold them back. */
const LOOK_AGAIN_MS = 30_000;

const ME = { user: "me" } as const;

type ChatPages = InfiniteData<Chat[]>;

export type SectionPages = UseInfiniteQueryResult<ChatPages>;

export function useChatList(view: InboxView, typed: string): SectionPages {
  const input = listInput(view, typed);
  return usePages(listChats, input, (last) => nextInput(view, input, last), {
    everyMs: view === "working" ? WORKING_MS : LOOK_AGAIN_MS,
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
    const link = new ChatNewsLink({
      clock: systemClock,
      // Its handlers take more than ours do: that is all the types differ in.
      open: () => openSocket(watchChats.path) as NewsSocket,
      isWelcome: async () => (await probePath(requestPath(getUser.path, ME, {}) ?? "")).isOk,
      onConnected,
      onNews: (news) => {
        onNews(news);
        if (news.kind === "changed") putChat(queryClient, news.chat);
        else if (news.kind === "deleted") dropChat(queryClient, news.chatId);
        else renewAnswers(queryClient, [listChats]).catch(() => {}); // The lists tell.
      },
    });
    return () => link.close();
  }, [queryClient, onNews, onConnected]);
}

const SECTIONS: readonly ChatInboxSection[] = ["needs_you", "working", "unreviewed", "idle"];

/** Shows the chat where it belongs now. Lists that were searched are asked for anew. */
export function putChat(queryClient: QueryClient, chat: Chat): void {
  for (const section of SECTIONS) {
    changePages(queryClient, section, (pages) => withChat(section, pages, chat));
  }
  renewSearches(queryClient);
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
  const pages = change(held.pages).map((page) => [...page]);
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
  const placed = new Set(SECTIONS.map((section) => JSON.stringify(pagesKey(section))));
  queryClient
    .invalidateQueries({
      predicate: ({ queryKey }) =>
        queryKey[0] === listChats.path && !placed.has(JSON.stringify(queryKey)),
    })
    .catch(() => {}); // The lists tell.
}
