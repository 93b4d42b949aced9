/**
 * `send_message` to a chat that rests, in one statement: its lock and new version, the message, the chat's
 * start, its lease where a server takes it at once and what that reads first, the request's own rows, and who
 * is told. It means what the transition of that name means, and Acquire and `record_generation_attempt` behind it
 * in the same transaction where the chat is taken; a test drives both from the same state and compares every
 * column.
 *
 * It does nothing where the transition would do more: to a chat that is busy, archived or has a queue, and
 * where calls are open that the message would have to close.
 */
import {
  runTextStatement,
  type TextRow,
  type TextStatement,
  type TextValue,
} from "@atelier/database/text-statement";
import type { ServiceCondition } from "@atelier/contract/rpc/endpoint-service";
import { toStorableJson } from "../messages/storable-json.ts";
import type { ChatOwner, ReadBeside, ReadChat, SendBeside, WriteBeside } from "./chat-machine.ts";
import type { ChatRow, StoredMessage, UserMessage } from "./chat-row.ts";
import { CHAT_JSON_TEXT, toChatFromText } from "./chat-store.ts";
import {
  historyText,
  knownValues,
  toBegun,
  toBeside,
  unchangedText,
  unchangedValues,
  type Reading,
} from "./history-store.ts";
import {
  MESSAGE_COLUMNS_TEXT,
  OPEN_CALLS_TEXT,
  toStoredFromJson,
  type MessageJson,
} from "./message-store.ts";
import type { KnownHistory, ReadHistories } from "./read-histories.ts";
import {
  HAS_NO_LEASE_TEXT,
  notifyOwnershipText,
  notifyUpdateText,
} from "./statement-text-store.ts";

export type SentAtOnce = {
  /** As it is after it, with the owner where nobody that lives drove it. */
  readonly chat: ChatRow;
  readonly message: StoredMessage;
  /** Where it was taken. */
  readonly read: ReadChat | null;
};

/** Null: nothing was done. */
export async function sendAtOnce(
  { pool, histories }: Reading,
  chatId: string,
  message: UserMessage,
  {
    owner,
    now,
    ...beside
  }: SendingBeside & {
    readonly owner: ChatOwner | null;
    readonly now: Date;
  },
): Promise<SentAtOnce | null> {
  const known = histories.get(chatId);
  const content = toStorableJson(message.content);
  const run = async (
    kind: SendKind,
    ofHistory: readonly TextValue[],
  ): Promise<SentAtOnce | null> => {
    const [row] = await runTextStatement(pool, sendStatement(kind, beside), [
      ...[chatId, now.toISOString(), message.createdBy, content, message.apiKeyId],
      ...[message.modelConfigId, message.reasoningEffort],
      ...[owner?.workerId ?? null, owner?.runnerId ?? null, ...ofHistory],
      ...valuesOf([...beside.writes, ...beside.conditions]),
    ]);
    return row === undefined ? null : toSent(row, histories, known);
  };
  const left = leftValues(known, message);
  return (left && (await run("as-left", left))) ?? run("any", knownValues(known));
}

/** Of a chat that this server has left at rest, which it need not read again. Null: it knows none. */
function leftValues(
  known: KnownHistory | undefined,
  { modelConfigId }: UserMessage,
): readonly TextValue[] | null {
  if (known === undefined || known.rest === null || known.read === null) return null;
  // Of another model something else is read.
  const { lastModelConfigId } = known.read.chat;
  if (modelConfigId !== null && modelConfigId !== lastModelConfigId) return null;
  return [String(known.rest.historyVersion), ...unchangedValues(known.read)];
}

/** `read`: of a chat that is taken. */
type SendingBeside = SendBeside & { readonly read: ReadBeside };

/** As left: nothing is done where something is not as this server left it, and so nothing of it is read. */
type SendKind = "as-left" | "any";

function toSent(
  row: TextRow,
  histories: ReadHistories,
  known: KnownHistory | undefined,
): SentAtOnce {
  // As selected. The history is the one before the message.
  const [chatText, messageText, isTaken, history, besideText, version] = row as SentRow;
  const chat = toChatFromText(chatText);
  const message = toStoredFromJson(JSON.parse(messageText) as MessageJson);
  if (isTaken === "f") return { chat, message, read: null };
  const beside = toBeside(besideText, version, known);
  const read = toBegun(histories, known, { chat, history, beside, added: [message] });
  return { chat, message, read };
}

/** What was not read is null. */
type SentRow = [
  ...[chat: string, message: string, isTaken: "t" | "f"],
  ...[history: string | null, beside: string | null, version: string | null],
];

function sendStatement(kind: SendKind, { conditions, read, writes }: SendingBeside): TextStatement {
  const besides = [...writes, ...conditions].map((each) => each.name);
  const name = ["chat-send", kind, read.name, ...besides].join("-");
  let text = texts.get(name);
  if (text === undefined) {
    const first = kind === "any" ? FIRST_OF_HISTORY + 2 : FIRST_OF_HISTORY + 3;
    text = sendText({
      ...(kind === "any" ? anyTexts(read) : asLeftTexts(read)),
      writes: printed(writes, first, writtenText),
      conditions: printed(conditions, first + valuesOf(writes).length, conditionText),
    });
    texts.set(name, text);
  }
  return { name, text };
}

/** Each printed with the number of its first value. */
function printed<Piece extends Pieced>(
  pieces: readonly Piece[],
  first: number,
  print: (piece: Piece, first: number, place: number) => string,
): string {
  let next = first;
  return pieces
    .map((piece, place) => {
      const text = print(piece, next, place);
      next += piece.values.length;
      return text;
    })
    .join("");
}

type Pieced = { readonly values: readonly TextValue[] };

const writtenText = ({ text }: WriteBeside, first: number, place: number): string =>
  `, written_${place} as (${text(first, "entered")})`;

const conditionText = ({ text }: ServiceCondition, first: number): string =>
  `(${text(first)}) and `;

const valuesOf = (pieces: readonly Pieced[]): readonly TextValue[] =>
  pieces.flatMap(({ values }) => values);

/** A few: each name has one text. */
const texts = new Map<string, string>();

/** Where the values of `knownValues` or of `leftValues` are. */
const FIRST_OF_HISTORY = 10;

type SendTexts = Record<"conditions" | "isReady" | "read" | "writes", string>;

/** A history that was left as it is has no open calls. */
const asLeftTexts = (read: ReadBeside): Pick<SendTexts, "isReady" | "read"> => ({
  isReady: `chats.history_version = $${FIRST_OF_HISTORY}::bigint
      and ${unchangedText(read, FIRST_OF_HISTORY + 1)}`,
  read: "null as history, null as beside, null as version",
});

const anyTexts = ({ text, version }: ReadBeside): Pick<SendTexts, "isReady" | "read"> => ({
  isReady: `not exists (${OPEN_CALLS_TEXT})`,
  read: `case when chats.is_taken then ${historyText(FIRST_OF_HISTORY)} end as history,
    case when chats.is_taken then ${text} end as beside, ${version} as version`,
});

/**
 * What is read of other tables is of the statement's beginning: so is the chat, or whoever changed it
 * meanwhile is asked about anew.
 */
const sendText = ({ conditions, isReady, read, writes }: SendTexts): string => `
  with resting as materialized (
    select chats.id, $9::uuid is not null and ${HAS_NO_LEASE_TEXT} as is_taken
    from chats
    where ${conditions}chats.id = $1 and chats.status in ('waiting', 'error') and not chats.archived
      and chats.queue_length = 0
      and chats.snapshot_version = (select seen.snapshot_version from chats as seen where seen.id = $1)
      and ${isReady}
    for update of chats
  ), moved as (
    update chats set
      snapshot_version = chats.snapshot_version + 1, history_version = chats.snapshot_version + 1,
      generation_attempt = resting.is_taken::integer, status = 'running', last_error = null,
      compaction_requested_at = null, requires_action_deadline_at = null,
      last_model_config_id = coalesce($6::uuid, chats.last_model_config_id),
      last_reasoning_effort = coalesce($7::text, chats.last_reasoning_effort),
      worker_id = case when resting.is_taken then $8::uuid else chats.worker_id end,
      runner_id = case when resting.is_taken then $9::uuid else chats.runner_id end,
      fence = chats.fence + resting.is_taken::integer, updated_at = $2
    from resting where chats.id = resting.id
    returning chats.*, resting.is_taken
  ), entered as (
    insert into chat_messages (
      chat_id, created_at, created_by, model_config_id, role, content, reasoning_effort, api_key_id)
    select id, $2, $3::uuid, last_model_config_id, 'user', $4::jsonb, last_reasoning_effort, $5::text
    from moved
    returning ${MESSAGE_COLUMNS_TEXT}
  ), beaten as (
    insert into chat_heartbeats (chat_id, runner_id, heartbeat_at)
    select id, runner_id, clock_timestamp() from moved where is_taken
  )${writes}
  select ${CHAT_JSON_TEXT} as chat, to_json(entered) as message, chats.is_taken, ${read},
    ${notifyUpdateText("chats")},
    pg_notify('chat_watch_' || replace(chats.owner_id::text, '-', ''),
      json_build_object('kind', 'status_change', 'chat_id', chats.id)::text),
    case when not chats.is_taken and ${HAS_NO_LEASE_TEXT} then ${notifyOwnershipText("chats")} end
  from moved as chats cross join entered`;
