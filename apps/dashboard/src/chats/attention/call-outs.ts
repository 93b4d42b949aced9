/** Which news of one's agents call the person out of something else, and in which words. */
import type { Chat } from "@atelier/contract/http/chats";
import type { ChatNews } from "../inbox/chat-news-link.ts";
import { lastActionWords, stateWords } from "../chat-words.ts";

/** What a person wants to be called for. */
export const CALL_CHOICES = ["none", "needs_you", "done"] as const;
export type CallChoice = (typeof CALL_CHOICES)[number];

export type CallOut = {
  readonly chatId: string;
  /** The same for every window that hears of it, so that it is shown once. */
  readonly tag: string;
  readonly title: string;
  readonly body: string;
};

/** Null: nothing to call anybody for. */
export function callOutOf(news: ChatNews, choice: CallChoice, now: Date): CallOut | null {
  if (news.kind !== "changed" || choice === "none") return null;
  const { chat, change } = news;
  if (change !== "status_change" && change !== "action_required") return null;
  if (chat.archived || chat.parent_chat_id !== undefined) return null;
  const isMeant =
    chat.inbox_section === "needs_you" ||
    (choice === "done" && chat.inbox_section === "unreviewed");
  if (!isMeant) return null;
  const { words, reason } = stateWords(chat, now);
  return {
    chatId: chat.id,
    tag: `${chat.id} ${chat.inbox_section} ${chat.inbox_since}`,
    title: `${chat.title}: ${words}`,
    body: reason ?? saidBy(chat),
  };
}

function saidBy(chat: Chat): string {
  const action = lastActionWords(chat);
  return action === null ? "" : `${action.verb} ${action.object}`;
}
