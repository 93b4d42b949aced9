/**
 * What a chat will most likely be read as once messages have entered it, from what its server knows: pure.
 *
 * Nothing may come of it before the statement that writes them has said what really is there. What
 * was made of it meanwhile holds where `isAsForeseen`, and is thrown away where not.
 */
import { isDeepStrictEqual } from "node:util";
import { toStorableJson } from "../messages/storable-json.ts";
import type { ForeseenChat, ReadChat } from "./chat-machine.ts";
import {
  toStored,
  type ChatRow,
  type NewMessage,
  type StoredMessage,
  type UserMessage,
} from "./chat-row.ts";
import type { KnownHistory, LastRead } from "./read-histories.ts";

/** What is longer takes longer to be made ready, and to be looked at, than is gained. */
const ENTERED_CHARS_MAX = 200_000;

/** Behind a message of a person that enters a chat at rest. Null: too little is known. */
export function foreseeSend(
  known: KnownHistory | undefined,
  message: UserMessage,
): ForeseenChat | null {
  if (known === undefined || known.read === null || known.rest === null) return null;
  const { chat } = known.read;
  const foreseen: ChatRow = {
    ...{ ...chat, status: "running", lastError: null, retryState: null, generationAttempt: 0 },
    ...{ compactionRequestedAt: null, requiresActionDeadlineAt: null },
    lastModelConfigId: message.modelConfigId ?? chat.lastModelConfigId,
    lastReasoningEffort: message.reasoningEffort ?? chat.lastReasoningEffort,
  };
  const { lastModelConfigId: modelConfigId, lastReasoningEffort: reasoningEffort } = foreseen;
  return behind([...known.messages, ...known.rest.written], known.read, foreseen, [
    { ...message, role: "user", modelConfigId, reasoningEffort },
  ]);
}

/**
 * Behind results of tools, which its model is asked to go on from. `historyVersion`: where they enter. Null: too
 * little is known, or something else comes next.
 */
export function foreseeStep(
  known: KnownHistory | undefined,
  historyVersion: number,
  messages: readonly NewMessage[],
): ForeseenChat | null {
  if (known === undefined || known.read === null || known.version !== historyVersion) return null;
  if (!messages.every(({ role }) => role === "tool")) return null;
  const { chat } = known.read;
  const foreseen: ChatRow = { ...chat, generationAttempt: 0, compactionRequestedAt: null };
  return behind(known.messages, known.read, foreseen, messages);
}

function behind(
  before: readonly StoredMessage[],
  { beside }: LastRead,
  chat: ChatRow,
  added: readonly NewMessage[],
): ForeseenChat | null {
  const last = before.at(-1);
  const contents = toContents(added);
  if (last === undefined || contents === null) return null;
  const { id, chatId, createdAt, revision } = last;
  const entered = added.map((message, place) =>
    // In its place; what is not known of it yet is looked at by nobody.
    toStored(
      { ...message, content: contents[place] ?? [] },
      { id: id + 1 + place, chatId, createdAt, revision },
    ),
  );
  const messages = [...before, ...entered];
  return { chat, messages, attempt: 1, beside: beside.value, entered: added.length };
}

/** `read`: of the statement that was told of the same `known`. */
export function isAsForeseen(foreseen: ForeseenChat, read: ReadChat): boolean {
  return (
    foreseen.attempt === read.attempt &&
    // Of one text there is one value.
    foreseen.beside === read.beside &&
    isSameChat(foreseen.chat, read.chat) &&
    areSameMessages(foreseen, read.messages)
  );
}

/** All but where it stands, who drives it, and what lists say of it: no model is told of that. */
function isSameChat(foreseen: ChatRow, chat: ChatRow): boolean {
  return (Object.keys(chat) as (keyof ChatRow)[]).every(
    (name) => MOVES.has(name) || isSame(foreseen[name], chat[name]),
  );
}

const MOVES: ReadonlySet<keyof ChatRow> = new Set([
  ...(["title", "titleSource", "status", "lastError", "workerId", "runnerId", "fence"] as const),
  ...(["snapshotVersion", "historyVersion", "queueVersion", "retryStateVersion"] as const),
  ...(["pinOrder", "lastReadMessageId", "lastTurnSummary", "updatedAt"] as const),
]);

/** Looking into things costs more than a turn should wait for them, and most are no things. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  return typeof one === "object" && typeof other === "object" && isDeepStrictEqual(one, other);
}

function areSameMessages(
  { messages: foreseen, entered }: ForeseenChat,
  messages: readonly StoredMessage[],
): boolean {
  if (foreseen.length !== messages.length) return false;
  const known = messages.length - entered;
  return messages.every((message, index) => {
    const other = foreseen[index];
    if (other === undefined) return false;
    return index < known ? isSameMessage(other, message) : isSameEntered(other, message);
  });
}

function isSameMessage(one: StoredMessage, other: StoredMessage): boolean {
  if (one === other) return true;
  return (Object.keys(other) as (keyof StoredMessage)[]).every((name) =>
    isSame(one[name], other[name]),
  );
}

function isSameEntered(one: StoredMessage, other: StoredMessage): boolean {
  return (Object.keys(other) as (keyof StoredMessage)[]).every(
    (name) =>
      ONLY_ON_DISK.has(name) ||
      (name === "content"
        ? isSameText(one.content, other.content)
        : isSame(one[name], other[name])),
  );
}

/** With the order of keys: what the next call repeats of this one has to be the same bytes. */
function isSameText(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What is known of a message only when it is written. */
const ONLY_ON_DISK: ReadonlySet<keyof StoredMessage> = new Set(["id", "createdAt", "revision"]);

/** As Postgres' `jsonb` gives them back. Null: they are too long. */
function toContents(added: readonly NewMessage[]): readonly NewMessage["content"][] | null {
  const json = toStorableJson(added.map(({ content }) => content));
  if (json.length > ENTERED_CHARS_MAX) return null;
  return inStoredOrder(JSON.parse(json)) as readonly NewMessage["content"][]; // As it was.
}

/** `jsonb` keeps an object's keys by their length in bytes, then by their bytes. */
function inStoredOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inStoredOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => compareKeys(one, other));
  return Object.fromEntries(entries.map(([key, inner]) => [key, inStoredOrder(inner)]));
}

function compareKeys(one: string, other: string): number {
  const [bytes, others] = [Buffer.from(one), Buffer.from(other)];
  return bytes.length - others.length || Buffer.compare(bytes, others);
}
