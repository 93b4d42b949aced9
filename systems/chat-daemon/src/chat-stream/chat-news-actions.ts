/**
 * News of one person's chats, for lists that are open somewhere. A viewer that is slow is told the
 * latest of each chat, not everything in between.
 */
import type { Logger } from "@atelier/base/logger";
import { CHAT_NEWS_KINDS, type ChatNewsKind } from "@atelier/contract/http/chat-sockets";
import type { Chat } from "@atelier/contract/http/chats";
import type { PubSub } from "@atelier/database/pub-sub";
import { chatWatchChannel } from "../state/chat-machine.ts";

export type ChatNews =
  /** What happened before is in the list of chats. Comes again when news may have been missed. */
  | { readonly kind: "ready" }
  | { readonly kind: Exclude<ChatNewsKind, "deleted">; readonly chat: Chat }
  | { readonly kind: "deleted"; readonly chat: { readonly id: string } };

export type ChatNewsDeps = {
  readonly pubSub: PubSub;
  readonly log: Logger;
  /** Null: it is gone. */
  readonly showChat: (chatId: string) => Promise<Chat | null>;
};

export interface ChatNewsWatch {
  /** Until the signal aborts. `send` resolves when the viewer can take more. */
  watch(
    ownerId: string,
    send: (news: ChatNews) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
}

type Pending = { readonly kind: ChatNewsKind; readonly chatId: string };

export function chatNewsWatch(deps: ChatNewsDeps): ChatNewsWatch {
  return {
    watch: async (ownerId, send, signal) => {
      const pending = new Map<string, Pending>();
      let isFresh = false;
      let wake: () => void = () => {};
      const stop = (): void => wake();
      signal.addEventListener("abort", stop);
      using _subscription = deps.pubSub.subscribe(chatWatchChannel(ownerId), {
        message: (payload) => {
          const news = parseNews(payload);
          if (news === null) return;
          pending.set(`${news.kind} ${news.chatId}`, news);
          wake();
        },
        resync: () => {
          isFresh = true;
          wake();
        },
      });
      try {
        while (!signal.aborted) {
          if (isFresh) {
            isFresh = false;
            pending.clear();
            await send({ kind: "ready" });
            continue;
          }
          const [key, next] = pending.entries().next().value ?? [];
          if (key === undefined || next === undefined) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
            continue;
          }
          pending.delete(key);
          const news = await toNews(deps, next);
          if (news !== null) await send(news);
        }
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
  };
}

async function toNews(deps: ChatNewsDeps, { kind, chatId }: Pending): Promise<ChatNews | null> {
  if (kind === "deleted") return { kind, chat: { id: chatId } };
  const chat = await deps.showChat(chatId);
  // Gone since: the news of that comes, too.
  return chat === null ? null : { kind, chat };
}

function parseNews(payload: string): Pending | null {
  try {
    const { kind, chat_id: chatId } = JSON.parse(payload) as Record<string, unknown>;
    const known = CHAT_NEWS_KINDS.find((name) => name === kind);
    return known !== undefined && typeof chatId === "string" ? { kind: known, chatId } : null;
  } catch {
    return null;
  }
}
