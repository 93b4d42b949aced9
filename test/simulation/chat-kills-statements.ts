/**
 * By what each wait of a turn is known on a wire: statements that a server sends to the database, and what the
 * workspace's agent and other servers are told. `chat-kills-moments.test.ts` shows that each of them still comes.
 *
 * All that servers say is compared with these, by the one process that carries all their bytes: no expression
 * here begins with what any text begins with, so that none goes through a long text from each of its letters.
 */
import type { Said } from "./postgres-talk.ts";

export type AimedChat = {
  readonly key: string;
  /** Null: nobody has tried to create it yet. */
  readonly chatId: string | null;
};

export type Statement = (said: Said, chat: AimedChat) => boolean;

export function ofChat(text: RegExp): Statement {
  return (said, { chatId }) => isIn(said.values, chatId) && text.test(said.text);
}

/** Of a request that carries this idempotency key. */
export function ofRequest(text: RegExp, keyOf: (key: string) => string): Statement {
  return (said, { key }) => text.test(said.text) && said.values.includes(keyOf(key));
}

/** It does not say of which chat it is: whichever comes first is meant, once this one is there or before. */
export function ofSomeChat(text: RegExp, when: "before creation" | "later"): Statement {
  return (said, { chatId }) => text.test(said.text) && (chatId === null) === (when !== "later");
}

export function namesChat(answer: string, { chatId }: AimedChat): boolean {
  return isIn(answer, chatId);
}

export function heartbeat(said: Said, chat: AimedChat): boolean {
  return ofChat(/insert into chat_heartbeats/)(said, chat) && !/fence = /.test(said.text);
}

/** Where no step or message has begun its action, the first reads the history with it; another does not. */
export const FIRST_ATTEMPT: Statement = (said, chat) =>
  countsAttempt(said, chat) && said.text.includes("json_agg(message");
export const ANOTHER_ATTEMPT: Statement = (said, chat) =>
  countsAttempt(said, chat) && !said.text.includes("json_agg(message");

function countsAttempt({ text, values }: Said, { chatId }: AimedChat): boolean {
  return isIn(values, chatId) && text.includes("generation_attempt = generation_attempt + 1");
}

/** Messages that a runner commits by themselves, with all these words in them. */
export function step(...words: readonly string[]): Statement {
  return ({ text, values }, { chatId }) =>
    isIn(values, chatId) &&
    text.includes("insert into chat_messages") &&
    text.includes("runner_id = $") &&
    words.every((word) => values.includes(word));
}

/** The end of a transaction that has said such things. */
export function commit(within: Statement): Statement {
  return (said, chat) => /^commit/i.test(said.text) && within(said, chat);
}

/** Of a runner: its first statement asks whether it still has the chat. */
export function fenced(text: RegExp, value: string): Statement {
  return ({ within }, { chatId }) =>
    IS_FENCED.test(within.texts) &&
    text.test(within.texts) &&
    within.values.includes(value) &&
    isIn(within.values, chatId);
}

/** Not the runner's id alone: whoever announces a change looks whether its runner lives. */
const IS_FENCED = /runner_id = \$\d+ and (?:chats\.)?history_version = \$/;

/** Of a person, or of what is done beside the turn. */
export function unfenced(text: RegExp, value = ""): Statement {
  return ({ within }, { chatId }) =>
    !IS_FENCED.test(within.texts) &&
    text.test(within.texts) &&
    within.values.includes(value) &&
    isIn(within.values, chatId);
}

export function createsChat({ within }: Said, { key }: AimedChat): boolean {
  return /insert into "?chats"?/.test(within.texts) && within.values.includes(`#${key}a `);
}

export function createsChild({ within }: Said, { key }: AimedChat): boolean {
  return /insert into "?chats"?/.test(within.texts) && within.values.includes(`#${key}c `);
}

export function tellsChild({ within }: Said, { key }: AimedChat): boolean {
  const isMessage = /insert into chat_(?:queued_)?messages/.test(within.texts);
  return isMessage && !IS_FENCED.test(within.texts) && within.values.includes(`#${key}d `);
}

export function queuesMessage({ within }: Said, { key }: AimedChat): boolean {
  const isQueueing = within.texts.includes("insert into chat_queued_messages");
  return isQueueing && within.values.includes(`#${key}b `);
}

/** With it the chat is taken, and its first attempt begun. The server knows it from the message before. */
export function sendsAtRest({ text, values }: Said, { chatId, key }: AimedChat): boolean {
  const isSending = text.includes("with resting as materialized");
  return isSending && isIn(values, chatId) && values.includes(`#${key}c `);
}

export function takesResult({ within }: Said, { key }: AimedChat): boolean {
  return within.values.includes(`given-${key}`);
}

export function startsCommand(text: string, { key }: AimedChat): boolean {
  return text.includes(`echo ${key}a >>`);
}

export function startsEdit(text: string, { key }: AimedChat): boolean {
  return text.includes(`${key}a\\nEND`);
}

export function stopsCommand(text: string, { chatId }: AimedChat): boolean {
  return text.includes("SIGKILL") && isIn(text, chatId);
}

/** Not for which chat: whichever comes first is meant, once this one is there. */
export function dialsForWorkspace(text: string, { chatId }: AimedChat): boolean {
  return chatId !== null && text.startsWith("GET /internal/workspace-link/");
}

export function dialsForParts(text: string, { chatId }: AimedChat): boolean {
  return text.startsWith("GET /internal/chats/") && isIn(text, chatId);
}

function isIn(text: string, chatId: string | null): boolean {
  return chatId !== null && text.includes(chatId);
}
