/**
 * What a chat will most likely be read as once a message has entered it, from what its server knows: pure.
 *
 * Nothing may come of it before the statement that writes the message has said what really is there. What
 * was made of it meanwhile holds where `isAsForeseen`, and is thrown away where not.
 */
import { isDeepStrictEqual } from "node:util";
import type { ReadChat } from "./chat-machine.ts";
import { NO_USAGE, type ChatRow, type StoredMessage, type UserMessage } from "./chat-row.ts";
import type { KnownHistory } from "./read-histories.ts";

/** Null: too little is known. */
export function foreseeSend(
  known: KnownHistory | undefined,
  message: UserMessage,
): ReadChat | null {
  if (known === undefined || known.read === null || known.rest === null) return null;
  const { chat, beside } = known.read;
  const before = [...known.messages, ...known.rest.written];
  const last = before.at(-1);
  if (last === undefined) return null;
  const foreseen: ChatRow = {
    ...{ ...chat, status: "running", lastError: null, retryState: null, generationAttempt: 0 },
    ...{ compactionRequestedAt: null, requiresActionDeadlineAt: null },
    lastModelConfigId: message.modelConfigId ?? chat.lastModelConfigId,
    lastReasoningEffort: message.reasoningEffort ?? chat.lastReasoningEffort,
  };
  const messages = [...before, toEntered(foreseen, message, last)];
  return { chat: foreseen, messages, attempt: 1, beside: beside.value };
}

/** `read`: of the statement that was told of the same `known`. */
export function isAsForeseen(foreseen: ReadChat, read: ReadChat): boolean {
  return (
    foreseen.attempt === read.attempt &&
    // Of one text there is one value.
    foreseen.beside === read.beside &&
    isSameChat(foreseen.chat, read.chat) &&
    areSameMessages(foreseen.messages, read.messages)
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
  foreseen: readonly StoredMessage[],
  messages: readonly StoredMessage[],
): boolean {
  if (foreseen.length !== messages.length) return false;
  const entered = messages.length - 1;
  return messages.every((message, index) => {
    const other = foreseen[index];
    return other !== undefined && isSameMessage(other, message, index === entered);
  });
}

function isSameMessage(one: StoredMessage, other: StoredMessage, isEntered: boolean): boolean {
  if (one === other) return true;
  return (Object.keys(other) as (keyof StoredMessage)[]).every(
    (name) => (isEntered && ONLY_ON_DISK.has(name)) || isSame(one[name], other[name]),
  );
}

/** What is known of a message only when it is written. */
const ONLY_ON_DISK: ReadonlySet<keyof StoredMessage> = new Set(["id", "createdAt", "revision"]);

function toEntered(
  { lastModelConfigId: modelConfigId, lastReasoningEffort: reasoningEffort }: ChatRow,
  { content, createdBy, apiKeyId }: UserMessage,
  { id, chatId, createdAt, revision }: StoredMessage,
): StoredMessage {
  return {
    ...{ chatId, createdBy, modelConfigId, role: "user", content, visibility: "both" },
    ...{ compressed: false, deleted: false, reasoningEffort, apiKeyId, providerResponseId: null },
    ...{ usage: NO_USAGE, runtimeMs: null, totalCostMicros: null },
    // In its place; what is not known of it yet is looked at by nobody.
    ...{ id: id + 1, createdAt, revision },
  };
}
