/**
 * What a runner does at every step of a turn, in one statement each: read all, read all and begin the
 * first attempt with it, begin another attempt, commit, let go. They mean what the transitions of the same
 * names mean; a test drives both from the same state and compares every column.
 */
import { madeOnce } from "@atelier/base/made-once";
import type { Database } from "@atelier/database/database";
import {
  runTextStatement,
  type TextStatement,
  type TextValue,
} from "@atelier/database/text-statement";
import type { ChatFence, ChatMoved, ReadBeside, ReadChat } from "./chat-machine.ts";
import type { ChatRow, NewMessage, StoredMessage } from "./chat-row.ts";
import { CHAT_JSON_TEXT, toChatFromText } from "./chat-store.ts";
import {
  historyOfTurnText,
  keepHistory,
  knownValues,
  NOTHING_BESIDE,
  toBegun,
  toBeside,
  unchangedText,
  unchangedValues,
  type Reading,
} from "./history-store.ts";
import {
  MESSAGE_COLUMNS_TEXT,
  NEW_COLUMNS_ROW,
  NEW_COLUMNS_TEXT,
  toMessagesJson,
  toStoredFromJson,
  type MessageJson,
} from "./message-store.ts";
import type { KnownHistory, ReadHistories, TextBeside } from "./read-histories.ts";
import {
  notifyOwnershipText,
  notifyUpdateText,
  WANTS_WORKER_TEXT,
} from "./statement-text-store.ts";

export async function readWithHistory(
  { pool, histories }: Reading,
  chatId: string,
  fence: ChatFence,
): Promise<{ readonly chat: ChatRow; readonly messages: readonly StoredMessage[] } | undefined> {
  const known = histories.get(chatId);
  const values = [...fenceValues(chatId, fence), ...knownValues(known)];
  const [row] = await runTextStatement(pool, READ, values);
  if (row === undefined) return undefined;
  const [chat, history] = row as ReadRow; // As selected.
  return toRead({ chat: toChatFromText(chat), history, beside: null }, histories, known);
}

function toRead(
  {
    chat,
    history: text,
    beside,
  }: { readonly chat: ChatRow; readonly history: string; readonly beside: TextBeside | null },
  histories: ReadHistories,
  known: KnownHistory | undefined,
): { readonly chat: ChatRow; readonly messages: readonly StoredMessage[] } {
  return { chat, messages: keepHistory(histories, chat, { text, known, beside }) };
}

/**
 * The chat as it was before, and the attempt that began with the reading: null where others came before
 * it, or the chat does not run. Undefined: the fence does not hold.
 */
export async function beginWithHistory(
  { pool, histories }: Reading,
  chatId: string,
  fence: ChatFence,
  beside: ReadBeside | null,
): Promise<ReadChat | undefined> {
  const known = histories.get(chatId);
  const statement = beginOf(beside ?? NOTHING_BESIDE);
  const values = [...fenceValues(chatId, fence), ...knownValues(known)];
  const [row] = await runTextStatement(pool, statement, values);
  if (row === undefined) return undefined;
  const [chatText, history, besideText, version, begun] = row as BeginRow; // As selected.
  const chat = toChatFromText(chatText);
  // Somebody changed the chat while this was read: what it is now, its next reader learns.
  const isOvertaken =
    begun === null && chat.generationAttempt === 0 && chat.status === "running" && !chat.archived;
  if (isOvertaken) return undefined;
  const read = toBeside(besideText, version, known);
  return {
    ...toRead({ chat, history, beside: read }, histories, known),
    attempt: begun === null ? null : Number(begun),
    beside: read.value,
  };
}

/** Undefined: the fence does not hold. */
export async function recordAttemptAtOnce(
  pool: Database["pool"],
  chatId: string,
  fence: ChatFence,
): Promise<number | undefined> {
  const [row] = await runTextStatement(pool, ATTEMPT, fenceValues(chatId, fence));
  return row === undefined ? undefined : Number(row[0]);
}

/** False: the fence does not hold. */
export async function abandonAtOnce(
  pool: Database["pool"],
  chatId: string,
  fence: ChatFence,
): Promise<boolean> {
  const rows = await runTextStatement(pool, ABANDON, fenceValues(chatId, fence));
  return rows.length > 0;
}

type StepWrite = { readonly messages: readonly NewMessage[]; readonly now: Date };

/** What it made of the chat. Undefined: the fence does not hold. */
export async function commitStepAtOnce(
  pool: Database["pool"],
  chatId: string,
  fence: ChatFence,
  { messages, now }: StepWrite,
): Promise<ChatMoved | undefined> {
  const [row] = await runTextStatement(pool, STEP, [
    ...fenceValues(chatId, fence),
    ...[now.toISOString(), toMessagesJson(messages)],
  ]);
  if (row === undefined) return undefined;
  const [workerId = null, versionText] = row;
  const version = Number(versionText);
  return {
    ...{ workerId, runnerId: fence.runnerId, status: fence.status, archived: false },
    ...{ snapshotVersion: version, historyVersion: version, generationAttempt: 0 },
  };
}

/**
 * As `commitStepAtOnce`, and what `beginWithHistory` does then. Not for messages that begin a history anew.
 * Null: the fence does not hold.
 */
export async function commitStepAndBegin(
  { pool, histories }: Reading,
  chatId: string,
  fence: ChatFence,
  { messages, now, beside }: StepWrite & { readonly beside: ReadBeside | null },
): Promise<Stepped | null> {
  const known = histories.get(chatId);
  const run = async (
    statement: TextStatement,
    unchanged: readonly TextValue[],
  ): Promise<Stepped | null> => {
    const [row] = await runTextStatement(pool, statement, [
      ...fenceValues(chatId, fence),
      ...[now.toISOString(), toMessagesJson(messages), ...knownValues(known), ...unchanged],
    ]);
    if (row === undefined) return null;
    const [chatText, history, addedText, besideText, version] = row as StepRow; // As selected.
    const chat = toChatFromText(chatText);
    const added = (JSON.parse(addedText) as MessageJson[]).map(toStoredFromJson); // As selected.
    const read = toBeside(besideText, version, known);
    return { chat, read: toBegun(histories, known, { chat, history, beside: read, added }), added };
  };
  const { again, anew } = stepAndBeginOf(beside ?? NOTHING_BESIDE);
  const last = known?.read ?? null;
  return (last && (await run(again, unchangedValues(last)))) ?? run(anew, []);
}

export type Stepped = {
  /** As the statement left it. */
  readonly chat: ChatRow;
  readonly read: ReadChat;
  readonly added: readonly StoredMessage[];
};

type ReadRow = [chat: string, history: string];
/** What was not read is null. */
type StepRow = [...ReadRow, added: string, beside: string | null, version: string | null];
type BeginRow = [...ReadRow, beside: string | null, version: string, attempt: string | null];

const FENCE =
  "chats.id = $1 and chats.runner_id = $2 and chats.history_version = $3 and chats.status = $4";
/** Only a running chat has attempts and steps. */
const RUNNING_FENCE = `${FENCE} and chats.status = 'running' and not chats.archived`;

function fenceValues(chatId: string, fence: ChatFence): readonly TextValue[] {
  return [chatId, fence.runnerId, String(fence.historyVersion), fence.status];
}

const HISTORY = historyOfTurnText(5);

const READ: TextStatement = {
  name: "chat-read",
  text: `select ${CHAT_JSON_TEXT} as chat, ${HISTORY} as history from chats where ${FENCE}`,
};

/**
 * The first attempt alone: a later one may follow one whose server died, and what that had shown is read
 * before another begins.
 */
const begin = ({ text: beside, version }: ReadBeside): string => `
  with moved as (
    update chats set
      snapshot_version = snapshot_version + 1, generation_attempt = generation_attempt + 1
    where ${RUNNING_FENCE} and chats.generation_attempt = 0 returning chats.*
  )
  select ${CHAT_JSON_TEXT} as chat, ${HISTORY} as history, ${beside} as beside,
    ${version} as version, moved.generation_attempt as attempt,
    case when moved.id is not null then ${notifyUpdateText("moved")} end as notified
  from chats left join moved on true where ${FENCE}`;

const ATTEMPT: TextStatement = {
  name: "chat-attempt",
  text: `
  with moved as (
    update chats set
      snapshot_version = snapshot_version + 1, generation_attempt = generation_attempt + 1
    where ${RUNNING_FENCE} returning chats.*
  )
  select generation_attempt as attempt, ${notifyUpdateText("moved")} from moved`,
};

const ABANDON: TextStatement = {
  name: "chat-abandon",
  text: `
  with moved as (
    update chats set
      snapshot_version = snapshot_version + 1, worker_id = null, runner_id = null
    where ${FENCE} returning chats.*
  )
  select ${notifyUpdateText("chats")},
    case when ${WANTS_WORKER_TEXT} then ${notifyOwnershipText("chats")} end
  from moved as chats`,
};

const step = (attempt: 0 | 1, onlyIf = "true"): string => `
  with moved as (
    update chats set
      snapshot_version = snapshot_version + 1, history_version = snapshot_version + 1,
      generation_attempt = ${attempt}, compaction_requested_at = null, updated_at = $5
    where ${RUNNING_FENCE} and ${onlyIf} returning chats.*
  ), inserted as (
    insert into chat_messages (chat_id, created_at, ${NEW_COLUMNS_TEXT})
    select moved.id, $5, ${NEW_COLUMNS_TEXT.split(", ")
      .map((name) => `messages.${name}`)
      .join(", ")}
    from moved cross join jsonb_to_recordset($6::jsonb) ${NEW_COLUMNS_ROW}
    order by messages.place
    returning ${MESSAGE_COLUMNS_TEXT}
  )`;

const STEP: TextStatement = {
  name: "chat-step",
  text: `${step(0)}
  select worker_id, snapshot_version as version, ${notifyUpdateText("moved")} from moved`,
};

/** The history is the one before the step. Nobody else writes it while the fence holds. */
const stepAndBegin = (
  beside: string,
  version: string,
  onlyIf?: string,
): string => `${step(1, onlyIf)}
  select ${CHAT_JSON_TEXT} as chat, ${historyOfTurnText(7)} as history,
    (select json_agg(inserted order by inserted.id) from inserted) as added,
    ${beside} as beside, ${version} as version, ${notifyUpdateText("chats")}
  from moved as chats`;

/** Long texts, of what is read beside one step as beside the next. */
const beginOf = madeOnce((beside: ReadBeside) => ({
  name: `chat-begin-${beside.name}`,
  text: begin(beside),
}));
/** `again`: does nothing where something else would be read beside the chat than before, and reads nothing of it. */
const stepAndBeginOf = madeOnce((beside: ReadBeside) => ({
  anew: {
    name: `chat-step-begin-${beside.name}`,
    text: stepAndBegin(beside.text, beside.version),
  },
  again: {
    name: `chat-step-begin-again-${beside.name}`,
    text: stepAndBegin("null", "null", unchangedText(beside, 9)),
  },
}));
