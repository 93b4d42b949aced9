/** A whole chat as a file: every message is fetched, also those that nobody has scrolled to. */
import { ok, type Result } from "@atelier/base/result";
import type { ApiProblem, CallAnswer, CallInput } from "@atelier/contract/client";
import type { ChatMessage, getChat, listChatMessages } from "@atelier/contract/http/chats";
import { chatMarkdown, fileNameOf, type ExportedChat } from "./chat-markdown.ts";

const PAGE_MESSAGES = 200;

type ReadPage = (
  input: CallInput<typeof listChatMessages>,
) => Promise<Result<CallAnswer<typeof listChatMessages>, ApiProblem>>;

export type SavedFile = {
  readonly name: string;
  readonly text: string;
  readonly mediaType: string;
};

export async function chatFile(
  kind: "markdown" | "json",
  chat: CallAnswer<typeof getChat>,
  {
    url,
    savedAt,
    readPage,
  }: Pick<ExportedChat, "url" | "savedAt"> & { readonly readPage: ReadPage },
): Promise<Result<SavedFile, ApiProblem>> {
  const messages: ChatMessage[] = [];
  for (let hasMore = true; hasMore;) {
    const after_id = messages.at(-1)?.id ?? 0;
    const page = await readPage({
      ...{ params: { chat: chat.id }, query: { after_id, limit: PAGE_MESSAGES } },
    });
    if (!page.ok) return page;
    messages.push(...page.value.messages);
    hasMore = page.value.has_more && page.value.messages.length > 0;
  }
  const name = fileNameOf(chat.title);
  if (kind === "json") {
    const text = JSON.stringify({ chat, messages }, null, 2);
    return ok({ name: `${name}.json`, text, mediaType: "application/json" });
  }
  const owner = chat.owner_username ?? "somebody";
  const text = chatMarkdown({ title: chat.title, url, owner, savedAt }, messages);
  return ok({ name: `${name}.md`, text, mediaType: "text/markdown" });
}
