/** Messages that wait until a chat's work has stopped, in their order. */
import { assert } from "@atelier/base/assert";
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { Sql } from "@atelier/database/database";
import { sql, type RawBuilder } from "kysely";
import { toStorableJson } from "../messages/storable-json.ts";
import type { QueuedMessage, UserMessage } from "./chat-row.ts";

export async function appendQueued(
  db: Sql,
  chatId: string,
  message: UserMessage,
  now: Date,
): Promise<QueuedMessage> {
  const { rows } = await sql<QueuedDatabaseRow>`
    insert into chat_queued_messages (
      chat_id, created_at, created_by, content, model_config_id, reasoning_effort, api_key_id,
      position)
    select
      ${chatId}, ${now}, ${message.createdBy}, ${toStorableJson(message.content)},
      ${message.modelConfigId}, ${message.reasoningEffort}, ${message.apiKeyId},
      coalesce(max(position), 0) + 1
    from chat_queued_messages where chat_id = ${chatId}
    returning ${QUEUED_COLUMNS}`.execute(db);
  return toQueuedMessage(rows[0] as QueuedDatabaseRow); // An aggregate always gives its one row.
}

export async function listQueued(db: Sql, chatId: string): Promise<readonly QueuedMessage[]> {
  const { rows } = await sql<QueuedDatabaseRow>`
    select ${QUEUED_COLUMNS} from chat_queued_messages where chat_id = ${chatId}
    order by position, id`.execute(db);
  return rows.map(toQueuedMessage);
}

export async function findQueued(
  db: Sql,
  chatId: string,
  queuedId: number,
): Promise<QueuedMessage | undefined> {
  const { rows } = await sql<QueuedDatabaseRow>`
    select ${QUEUED_COLUMNS} from chat_queued_messages
    where chat_id = ${chatId} and id = ${queuedId}`.execute(db);
  return rows.map(toQueuedMessage)[0];
}

export async function findFirstQueued(db: Sql, chatId: string): Promise<QueuedMessage | undefined> {
  const { rows } = await sql<QueuedDatabaseRow>`
    select ${QUEUED_COLUMNS} from chat_queued_messages where chat_id = ${chatId}
    order by position, id limit 1`.execute(db);
  return rows.map(toQueuedMessage)[0];
}

/** Whoever removes one holds the chat's lock and has seen it there. */
export async function deleteQueued(db: Sql, chatId: string, queuedId: number): Promise<void> {
  const { numAffectedRows } = await sql`
    delete from chat_queued_messages where chat_id = ${chatId} and id = ${queuedId}`.execute(db);
  assert(numAffectedRows === 1n, "a queued message leaves the queue exactly once");
}

export async function deleteAllQueued(db: Sql, chatId: string): Promise<void> {
  await sql`delete from chat_queued_messages where chat_id = ${chatId}`.execute(db);
}

export async function updateQueuedContent(
  db: Sql,
  queuedId: number,
  content: UserMessage["content"],
): Promise<void> {
  await sql`
    update chat_queued_messages set content = ${toStorableJson(content)}
    where id = ${queuedId}`.execute(db);
}

/** Gives the chat's messages the positions from 1 on. */
export async function updateQueueOrder(
  db: Sql,
  chatId: string,
  queuedIds: readonly number[],
): Promise<void> {
  await sql`
    update chat_queued_messages as queued set position = wanted.position
    from unnest(${[...queuedIds]}::bigint[]) with ordinality as wanted (id, position)
    where queued.chat_id = ${chatId} and queued.id = wanted.id
      and queued.position <> wanted.position`.execute(db);
}

type QueuedDatabaseRow = {
  readonly id: number;
  readonly chat_id: string;
  readonly created_at: Date;
  readonly created_by: string;
  readonly content: readonly MessagePart[];
  readonly model_config_id: string | null;
  readonly reasoning_effort: ReasoningEffort | null;
  readonly api_key_id: string | null;
  readonly position: number;
};

const QUEUED_COLUMNS: RawBuilder<unknown> = sql.raw(
  "id, chat_id, created_at, created_by, content, model_config_id, reasoning_effort, api_key_id, position",
);

function toQueuedMessage(row: QueuedDatabaseRow): QueuedMessage {
  return {
    id: row.id,
    chatId: row.chat_id,
    createdAt: row.created_at,
    createdBy: row.created_by,
    content: row.content,
    modelConfigId: row.model_config_id,
    reasoningEffort: row.reasoning_effort,
    apiKeyId: row.api_key_id,
    position: row.position,
  };
}
