/**
 * `send_message` to a chat that rests, in one statement: its lock and new version, the message, the chat's
 * start, its lease where a server takes it at once, the request's own rows, and who is told. It means what
 * the transition of that name means, and Acquire behind it in the same transaction; a test drives both from
 * the same state and compares every column.
 *
 * It does nothing where the transition would do more: to a chat that is busy, archived or has a queue, and
 * where calls are open that the message would have to close.
 */
import type { Database } from "@atelier/database/database";
import { toStorableJson } from "../messages/storable-json.ts";
import type { ChatOwner, SendBeside } from "./chat-machine.ts";
import type { ChatRow, StoredMessage, UserMessage } from "./chat-row.ts";
import { CHAT_COLUMNS_TEXT, toChatRow, type ChatDatabaseRow } from "./chat-store.ts";
import {
  MESSAGE_COLUMNS_TEXT,
  OPEN_CALLS_TEXT,
  toStoredMessage,
  type MessageDatabaseRow,
} from "./message-store.ts";
import { HAS_NO_LEASE_TEXT, notifyUpdateText } from "./statement-text-store.ts";

/** The chat as it is after it, with the owner where nobody that lives drove it. Null: nothing was done. */
export async function sendAtOnce(
  pool: Database["pool"],
  chatId: string,
  message: UserMessage,
  {
    owner,
    beside,
    now,
  }: {
    readonly owner: ChatOwner | null;
    readonly beside: SendBeside;
    readonly now: Date;
  },
): Promise<{ readonly chat: ChatRow; readonly message: StoredMessage } | null> {
  const { rows } = await pool.query<SentRow>({
    ...sendStatement(beside),
    values: [
      ...[chatId, now, message.createdBy, toStorableJson(message.content), message.apiKeyId],
      ...[message.modelConfigId, message.reasoningEffort],
      ...[owner?.workerId ?? null, owner?.runnerId ?? null],
      ...(beside.write?.values ?? []),
    ],
  });
  return rows.map(toSent)[0] ?? null;
}

type SentRow = ChatDatabaseRow & {
  readonly message: Omit<MessageDatabaseRow, "created_at"> & { readonly created_at: string };
};

/** What the triggers of messages do to the chat comes after the row that the statement returns. */
function toSent(row: SentRow): { readonly chat: ChatRow; readonly message: StoredMessage } {
  const { snapshot_version: version, message } = row;
  const isRetryOver = row.generation_attempt !== 0 && row.retry_state !== null;
  return {
    chat: toChatRow({
      ...row,
      ...{ history_version: version, generation_attempt: 0 },
      ...(isRetryOver && { retry_state: null, retry_state_version: version }),
    }),
    message: toStoredMessage({ ...message, created_at: new Date(message.created_at) }),
  };
}

function sendStatement({ onlyIf, write }: SendBeside): {
  readonly name: string;
  readonly text: string;
} {
  const name = ["chat-send", onlyIf?.name, write?.name]
    .filter((each) => each !== undefined)
    .join("-");
  let text = texts.get(name);
  if (text === undefined) {
    text = sendText(onlyIf?.text ?? "true", write === null ? "" : write.text(VALUES_MAX + 1));
    texts.set(name, text);
  }
  return { name, text };
}

/** A few: each name has one text. */
const texts = new Map<string, string>();

const VALUES_MAX = 9;

/**
 * What is read of other tables is of the statement's beginning: so is the chat, or whoever changed it
 * meanwhile is asked about anew.
 */
const sendText = (onlyIf: string, write: string): string => `
  with resting as materialized (
    select chats.id, $9::uuid is not null and ${HAS_NO_LEASE_TEXT} as is_taken from chats
    where (${onlyIf}) and chats.id = $1 and chats.status in ('waiting', 'error') and not chats.archived
      and chats.queue_length = 0
      and chats.snapshot_version = (select seen.snapshot_version from chats as seen where seen.id = $1)
      and not exists (${OPEN_CALLS_TEXT})
    for update of chats
  ), moved as (
    update chats set
      snapshot_version = chats.snapshot_version + 1, status = 'running', last_error = null,
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
  )${write === "" ? "" : `, kept as (${write})`}
  select ${CHAT_COLUMNS_TEXT}, to_json(entered) as message,
    ${notifyUpdateText("chats", {
      history_version: "chats.snapshot_version",
      generation_attempt: "0",
      retry_state_version: `case when chats.retry_state is null or chats.generation_attempt = 0
        then chats.retry_state_version else chats.snapshot_version end`,
    })},
    pg_notify('chat_watch_' || replace(chats.owner_id::text, '-', ''),
      json_build_object('kind', 'status_change', 'chat_id', chats.id)::text),
    case when not chats.is_taken and ${HAS_NO_LEASE_TEXT} then pg_notify('chat_ownership',
      json_build_object('chat_id', chats.id, 'snapshot_version', chats.snapshot_version)::text) end
  from moved as chats cross join entered`;
