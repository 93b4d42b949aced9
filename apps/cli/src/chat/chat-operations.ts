/** What people do with a chat besides talking, for commands and for the lines of a session alike. */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  deleteQueuedChatMessage,
  promoteQueuedChatMessage,
  updateQueuedChatMessage,
} from "@atelier/contract/http/chat-queue";
import {
  clearChat,
  compactChat,
  editChatMessage,
  getChatCost,
  interruptChat,
  listChatMessages,
  updateChat,
  type Chat,
  type ChatMessage,
  type ChatQueuedMessage,
} from "@atelier/contract/http/chats";
import type { CallInput } from "@atelier/contract/client";
import { notFoundFailure, type CliFailure } from "../cli-failure.ts";
import type { Api } from "../cli.ts";
import type { MessageSettings } from "./chat-options.ts";
import { latestMessages } from "./transcript.ts";
import { money } from "../output/money.ts";

type Done<Value> = Promise<Result<Value, CliFailure>>;

const ACTIONS = { compact: compactChat, clear: clearChat } as const;
export type ChatAction = keyof typeof ACTIONS;

export function actOnChat(api: Api, chat: string, action: ChatAction): Done<Chat> {
  return api.call(ACTIONS[action], { params: { chat } });
}

/** `turn`: the id of the message whose turn is meant, so that a stop that comes late stops no other. */
export function stopChat(api: Api, chat: string, turn: number | undefined): Done<Chat> {
  return api.call(interruptChat, { params: { chat }, body: { turn_message_id: turn } });
}

export function changeChat(
  api: Api,
  chat: string,
  body: CallInput<typeof updateChat>["body"],
): Done<null> {
  return api.call(updateChat, { params: { chat }, body });
}

export async function queueOf(api: Api, chat: string): Done<readonly ChatQueuedMessage[]> {
  const listed = await api.call(listChatMessages, { params: { chat }, query: { limit: 1 } });
  return listed.ok ? ok(listed.value.queued_messages) : listed;
}

export function deleteQueued(api: Api, chat: string, queued: number): Done<null> {
  return api.call(deleteQueuedChatMessage, { params: { chat, queued } });
}

export function promoteQueued(api: Api, chat: string, queued: number): Done<unknown> {
  return api.call(promoteQueuedChatMessage, { params: { chat, queued } });
}

export function changeQueued(
  api: Api,
  { chat, queued }: { readonly chat: string; readonly queued: number },
  change: { readonly text: string } | { readonly index: number },
): Done<ChatQueuedMessage> {
  const body =
    "text" in change
      ? { content: [{ type: "text" as const, text: change.text }] }
      : { index: change.index };
  return api.call(updateQueuedChatMessage, { params: { chat, queued }, body });
}

/** How far back the last message of one's own is looked for. */
const SEARCHED_MAX = 1_000;

/** Replaces a message, the last of one's own when none is named; what came after it is gone. */
export async function editMessage(
  api: Api,
  chat: string,
  edit: { readonly message: number | undefined; readonly text: string } & MessageSettings,
): Done<ChatMessage> {
  const { message: given, text, ...settings } = edit;
  const message = given === undefined ? await lastOwnMessage(api, chat) : ok(given);
  if (!message.ok) return message;
  const edited = await api.call(editChatMessage, {
    params: { chat, message: message.value },
    body: { content: [{ type: "text", text }], ...settings },
  });
  return edited.ok ? ok(edited.value.message) : edited;
}

async function lastOwnMessage(api: Api, chat: string): Done<number> {
  const latest = await latestMessages(api, chat, SEARCHED_MAX);
  if (!latest.ok) return latest;
  const own = latest.value.messages.findLast(({ role }) => role === "user");
  return own === undefined ? fail(notFoundFailure("There is no message to change.")) : ok(own.id);
}

export async function costText(
  api: Api,
  chat: string,
): Done<{ readonly json: unknown; readonly text: string }> {
  const cost = await api.call(getChatCost, { params: { chat } });
  if (!cost.ok) return cost;
  const { month } = cost.value;
  const since = `\nYour chats since ${month.from}: ${costOf(month)}`;
  return ok({ json: cost.value, text: costOf(cost.value) + since });
}

function costOf(cost: {
  readonly total_cost_micros: number | null;
  readonly request_count: number;
  readonly unpriced_request_count: number;
}): string {
  const { total_cost_micros: micros, request_count: requests } = cost;
  const unpriced = cost.unpriced_request_count;
  const more =
    unpriced === 0 || micros === null ? "" : `, ${unpriced} of them without a known price`;
  return `${money(micros)} for ${requests} ${requests === 1 ? "request" : "requests"}${more}`;
}
