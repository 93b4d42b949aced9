/** The sockets of chats: one chat at work, and the news of a person's chats. */
import { assert } from "@atelier/base/assert";
import { CLOSE_CHAT_GONE, PART_CURSOR_PATTERN } from "@atelier/contract/http/chat-sockets";
import type { ChatSocketService } from "@atelier/contract/rpc/chat-service";
import type { ChatNewsWatch } from "./chat-news-actions.ts";
import type { ChatViewers } from "./chat-viewers-actions.ts";
import type { PartCursor } from "./viewer-sync.ts";

export function chatSocketService(deps: {
  readonly viewers: ChatViewers;
  readonly news: ChatNewsWatch;
  /** The owner looks at the chat: what is answered counts as read. */
  readonly markRead: (chatId: string, viewerId: string) => Promise<void>;
}): ChatSocketService {
  return {
    streamChat: async ({ caller, params, query }, socket) => {
      const request = {
        chatId: params.chat,
        afterId: query.after_id,
        cursor: query.after_part === undefined ? null : cursorOf(query.after_part),
      };
      await deps.markRead(params.chat, caller.userId);
      try {
        const end = await deps.viewers.view(
          request,
          (message, done) => socket.pass(message, done),
          socket.signal,
        );
        return end === "chat_gone"
          ? { code: CLOSE_CHAT_GONE, reason: "the chat is gone" }
          : { code: 1000, reason: "" };
      } finally {
        await deps.markRead(params.chat, caller.userId);
      }
    },
    watchChats: async ({ caller }, socket) => {
      await deps.news.watch(
        caller.userId,
        (news) => socket.send(JSON.stringify(news)),
        socket.signal,
      );
      return { code: 1000, reason: "" };
    },
  };
}

function cursorOf(text: string): PartCursor {
  const [historyVersion, generationAttempt, seq] = (PART_CURSOR_PATTERN.exec(text) ?? [])
    .slice(1)
    .map(Number);
  assert(
    historyVersion !== undefined && generationAttempt !== undefined && seq !== undefined,
    "the edge has checked the pattern",
  );
  return { historyVersion, generationAttempt, seq };
}
