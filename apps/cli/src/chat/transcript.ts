/** The latest messages of a chat, oldest first, and as people read them. */
import { ok, type Result } from "@atelier/base/result";
import { EMPTY_CHAT_VIEW, withEvent } from "@atelier/contract/chat/chat-view";
import { listChatMessages, type ChatMessage } from "@atelier/contract/http/chats";
import type { CliFailure } from "../cli-failure.ts";
import type { Api } from "../cli.ts";
import type { Look } from "../output/people.ts";
import { ChatPrinter, type Printed } from "./chat-printer.ts";
import { plainScreen } from "./chat-screen.ts";

const PAGE_MAX = 200;

export async function latestMessages(
  api: Api,
  chatId: string,
  limit: number,
): Promise<Result<{ readonly messages: readonly ChatMessage[]; hasMore: boolean }, CliFailure>> {
  const messages: ChatMessage[] = [];
  let hasMore = true;
  while (hasMore && messages.length < limit) {
    const page = await api.call(listChatMessages, {
      params: { chat: chatId },
      query: { limit: Math.min(PAGE_MAX, limit - messages.length), before_id: messages.at(-1)?.id },
    });
    if (!page.ok) return page;
    messages.push(...page.value.messages);
    hasMore = page.value.has_more && page.value.messages.length > 0;
  }
  return ok({ messages: messages.toReversed(), hasMore });
}

export function printedMessages(look: Look, messages: readonly ChatMessage[]): readonly Printed[] {
  const printer = new ChatPrinter(look);
  let view = EMPTY_CHAT_VIEW;
  return messages.flatMap((message) => {
    const event = { type: "message", chat_id: message.chat_id, message } as const;
    const before = view;
    view = withEvent(view, event);
    return printer.take(before, view, event);
  });
}

export function transcriptText(look: Look, messages: readonly ChatMessage[]): string {
  let text = "";
  const add = (more: string): void => {
    text += more;
  };
  const screen = plainScreen(add, add);
  screen.print(printedMessages(look, messages));
  screen.close();
  return text.trimEnd();
}
