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
} from "@atelier/database/text-statement";
import { toStorableJson } from "../messages/storable-json.ts";
import type { ChatOwner, ReadBeside, ReadChat, SendBeside, WriteBeside } from "./chat-machine.ts";
import type { ChatRow, StoredMessage, UserMessage } from "./chat-row.ts";
import { CHAT_JSON_TEXT, toChatFromText } from "./chat-store.ts";
import { historyText, knownValues, toBegun, type Reading } from "./history-store.ts";
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
  const [row] = await runTextStatement(pool, sendStatement(beside), [
    ...[chatId, now.toISOString(), message.createdBy, content, message.apiKeyId],
    ...[message.modelConfigId, message.reasoningEffort],
    ...[owner?.workerId ?? null, owner?.runnerId ?? null, ...knownValues(known)],
    String(known?.rest?.historyVersion ?? 0),
    ...beside.writes.flatMap(({ values }) => values),
  ]);
  return row === undefined ? null : toSent(row, histories, known);
}

/** `read`: of a chat that is taken. */
type SendingBeside = SendBeside & { readonly read: ReadBeside | null };

function toSent(
  row: TextRow,
  histories: ReadHistories,
  known: KnownHistory | undefined,
): SentAtOnce {
  // As selected. The history is the one before the message.
  const [chatText, messageText, history, besideText] = row as SentRow;
  const chat = toChatFromText(chatText);
  const message = toStoredFromJson(JSON.parse(messageText) as MessageJson);
  if (history === null) return { chat, message, read: null };
  const read = toBegun(histories, known, {
    ...{ chat, beside: besideText, added: [message] },
    history: history === AS_LEFT ? null : history,
  });
  return { chat, message, read };
}

type SentRow = [chat: string, message: string, history: string | null, beside: string | null];

function sendStatement({ onlyIf, read, writes }: SendingBeside): TextStatement {
  const ofWrites = writes.map((write) => write.name);
  const name = ["chat-send", onlyIf?.name, read?.name, ...ofWrites].join("-");
  let text = texts.get(name);
  if (text === undefined) {
    text = sendText({
      onlyIf: onlyIf?.text ?? "true",
      read: read?.text ?? "null::json",
      writes: writesText(writes),
    });
    texts.set(name, text);
  }
  return { name, text };
}

function writesText(writes: readonly WriteBeside[]): string {
  let first = VALUES_MAX + 1;
  return writes
    .map(({ text, values }, place) => {
      const written = `, written_${place} as (${text(first, "entered")})`;
      first += values.length;
      return written;
    })
    .join("");
}

/** A few: each name has one text. */
const texts = new Map<string, string>();

const VALUES_MAX = 12;

/** In place of a history that this server left as it is: so it has no open calls either. */
const AS_LEFT = "";

/**
 * What is read of other tables is of the statement's beginning: so is the chat, or whoever changed it
 * meanwhile is asked about anew.
 */
const sendText = ({
  onlyIf,
  read,
  writes,
}: Record<"onlyIf" | "read" | "writes", string>): string => `
  with resting as materialized (
    select chats.id, $9::uuid is not null and ${HAS_NO_LEASE_TEXT} as is_taken,
      chats.history_version = $12::bigint as is_as_left
    from chats
    where (${onlyIf}) and chats.id = $1 and chats.status in ('waiting', 'error') and not chats.archived
      and chats.queue_length = 0
      and chats.snapshot_version = (select seen.snapshot_version from chats as seen where seen.id = $1)
      and (chats.history_version = $12 or not exists (${OPEN_CALLS_TEXT}))
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
    returning chats.*, resting.is_taken, resting.is_as_left
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
  select ${CHAT_JSON_TEXT} as chat, to_json(entered) as message,
    case when not chats.is_taken then null when chats.is_as_left then '${AS_LEFT}' else ${historyText(10)} end
      as history,
    case when chats.is_taken then ${read} end as beside,
    ${notifyUpdateText("chats")},
    pg_notify('chat_watch_' || replace(chats.owner_id::text, '-', ''),
      json_build_object('kind', 'status_change', 'chat_id', chats.id)::text),
    case when not chats.is_taken and ${HAS_NO_LEASE_TEXT} then ${notifyOwnershipText("chats")} end
  from moved as chats cross join entered`;
