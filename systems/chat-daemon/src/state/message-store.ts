/** Messages of histories in Postgres. Only a transition writes them: their revisions name its version. */
import type { ReasoningEffort } from "@atelier/contract/chat/chat-words";
import type { MessagePart, MessageRole } from "@atelier/contract/chat/message-part";
import type { Sql } from "@atelier/database/database";
import { sql, type RawBuilder } from "kysely";
import type { HistoryMessage } from "../messages/history-message.ts";
import { toStorableJson } from "../messages/storable-json.ts";
import type { MessageVisibility, NewMessage, StoredMessage } from "./chat-row.ts";

/** In the order given: ids grow along it. */
export async function insertMessages(
  db: Sql,
  chatId: string,
  messages: readonly NewMessage[],
  now: Date,
): Promise<readonly StoredMessage[]> {
  const { rows } = await sql<{ readonly message: MessageJson }>`
    insert into chat_messages (chat_id, created_at, ${NEW_COLUMNS})
    select ${chatId}, ${now}, ${NEW_COLUMNS} from ${newMessages(toMessagesJson(messages))}
    order by place
    returning ${MESSAGE_JSON}`.execute(db);
  return rows.map(({ message }) => toStoredFromJson(message)).toSorted((a, b) => a.id - b.id);
}

/** Returns the ids of those that were not deleted before, from the oldest. */
export async function softDeleteMessagesFrom(
  db: Sql,
  chatId: string,
  messageId: number,
): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    update chat_messages set deleted = true
    where chat_id = ${chatId} and id >= ${messageId} and not deleted returning id`.execute(db);
  return rows.map(({ id }) => id).toSorted((a, b) => a - b);
}

export async function findMessage(
  db: Sql,
  chatId: string,
  messageId: number,
): Promise<StoredMessage | undefined> {
  const { rows } = await sql<MessageDatabaseRow>`
    select ${MESSAGE_COLUMNS} from chat_messages
    where chat_id = ${chatId} and id = ${messageId} and not deleted`.execute(db);
  return rows.map(toStoredMessage)[0];
}

/**
 * Rows that can hold open tool calls, with these calls and results alone and without what they say.
 * What a person wrote closed all calls before it, and those before a boundary are not sent.
 */
export async function listCallsAndResults(
  db: Sql,
  chatId: string,
): Promise<readonly HistoryMessage[]> {
  const { rows } = await sql<HistoryMessage>`
    select role, visibility, compressed, (
      select coalesce(jsonb_agg(part - 'args' - 'result' - 'provider_metadata' order by position), '[]')
      from jsonb_array_elements(content) with ordinality as parts (part, position)
      where part ->> 'type' in ('tool-call', 'tool-result')
    ) as content
    from chat_messages
    where chat_id = ${chatId} and not deleted and role in ('assistant', 'tool') and id > greatest((
      select max(id) from chat_messages
      where chat_id = ${chatId} and not deleted and role = 'user' and visibility <> 'model'
    ), (
      select max(id) from chat_messages
      where chat_id = ${chatId} and not deleted and compressed and visibility = 'model'
    ), 0)
    order by id`.execute(db);
  return rows;
}

/** Of the chat whose row a statement names `chats`. 0: there is none. */
export const NEWEST_BOUNDARY_TEXT = `coalesce((
    select max(id) from chat_messages
    where chat_id = chats.id and not deleted and compressed and visibility = 'model'), 0)`;

export const NEWEST_OF_PERSON_TEXT = `coalesce((
    select max(id) from chat_messages
    where chat_id = chats.id and not deleted and role = 'user' and visibility <> 'model'), 0)`;

export async function findNewestOfPerson(db: Sql, chatId: string): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    select ${sql.raw(NEWEST_OF_PERSON_TEXT)} as id from chats where id = ${chatId}`.execute(db);
  return rows[0]?.id ?? 0;
}

/**
 * A subquery of a statement that names the chat's row `chats`: as many rows as it has open calls, as
 * openToolCalls() finds them in listCallsAndResults().
 */
export const OPEN_CALLS_TEXT = `
  select from (
    select parts.part ->> 'type' as type, parts.part ->> 'tool_call_id' as call_id,
      row_number() over (order by m.id, parts.position) as place
    from chat_messages as m
    cross join jsonb_array_elements(m.content) with ordinality as parts (part, position)
    where m.chat_id = chats.id and not m.deleted and m.role in ('assistant', 'tool')
      and m.visibility <> 'user' and parts.part ->> 'type' in ('tool-call', 'tool-result')
      and not (parts.part ->> 'type' = 'tool-call' and parts.part @> '{"provider_executed": true}')
      and m.id > greatest(${NEWEST_OF_PERSON_TEXT}, ${NEWEST_BOUNDARY_TEXT})
  ) as said
  group by call_id
  having max(place) filter (where type = 'tool-call')
    > coalesce(max(place) filter (where type = 'tool-result'), 0)`;

/** Whether anything, or anything that the model said, stands behind the newest boundary. */
export async function hasMessagesSinceBoundary(
  db: Sql,
  chatId: string,
  what: "assistant" | "anything",
): Promise<boolean> {
  const roles = what === "assistant" ? ["assistant"] : ["assistant", "user", "tool"];
  const { rows } = await sql`
    select 1 from chat_messages
    where chat_id = ${chatId} and not deleted and not compressed and role = any(${roles})
      and id > coalesce((
        select max(id) from chat_messages where chat_id = ${chatId} and not deleted and compressed
      ), 0)
    limit 1`.execute(db);
  return rows.length > 0;
}

export type MessageDatabaseRow = {
  readonly id: number;
  readonly chat_id: string;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly model_config_id: string | null;
  readonly role: MessageRole;
  readonly content: readonly MessagePart[];
  readonly visibility: MessageVisibility;
  readonly compressed: boolean;
  readonly deleted: boolean;
  readonly revision: number;
  readonly reasoning_effort: ReasoningEffort | null;
  readonly api_key_id: string | null;
  readonly provider_response_id: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly total_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly cache_creation_tokens: number | null;
  readonly cache_read_tokens: number | null;
  readonly context_limit: number | null;
  readonly runtime_ms: number | null;
  readonly total_cost_micros: number | null;
};

/** As JSON has them: times are text. */
export type MessageJson = Omit<MessageDatabaseRow, "created_at"> & { readonly created_at: string };

const MESSAGE_COLUMN_NAMES = [
  "id",
  "chat_id",
  "created_at",
  "created_by",
  "model_config_id",
  "role",
  "content",
  "visibility",
  "compressed",
  "deleted",
  "revision",
  "reasoning_effort",
  "api_key_id",
  "provider_response_id",
  "input_tokens",
  "output_tokens",
  "total_tokens",
  "reasoning_tokens",
  "cache_creation_tokens",
  "cache_read_tokens",
  "context_limit",
  "runtime_ms",
  "total_cost_micros",
] as const satisfies readonly (keyof MessageDatabaseRow)[];

export const MESSAGE_COLUMNS_TEXT: string = MESSAGE_COLUMN_NAMES.join(", ");
/** The same as one column: the driver describes each of an answer anew. */
const MESSAGE_JSON: RawBuilder<unknown> = sql.raw(
  `(select to_json(message) from (select ${MESSAGE_COLUMNS_TEXT} offset 0) as message) as message`,
);
export const MESSAGE_COLUMNS: RawBuilder<unknown> = sql.raw(MESSAGE_COLUMNS_TEXT);

/** What callers choose of a message, and its type: messages travel to the database as one JSON array. */
const NEW_COLUMN_TYPES = {
  created_by: "uuid",
  model_config_id: "uuid",
  role: "text",
  content: "jsonb",
  visibility: "text",
  compressed: "boolean",
  reasoning_effort: "text",
  api_key_id: "text",
  provider_response_id: "text",
  input_tokens: "bigint",
  output_tokens: "bigint",
  total_tokens: "bigint",
  reasoning_tokens: "bigint",
  cache_creation_tokens: "bigint",
  cache_read_tokens: "bigint",
  context_limit: "bigint",
  runtime_ms: "bigint",
  total_cost_micros: "bigint",
} as const;

export const NEW_COLUMNS_TEXT: string = Object.keys(NEW_COLUMN_TYPES).join(", ");
/** Stands for rows of them in `from`, behind jsonb_to_recordset(…). */
export const NEW_COLUMNS_ROW: string = `as messages (place bigint, ${Object.entries(
  NEW_COLUMN_TYPES,
)
  .map(([name, type]) => `${name} ${type}`)
  .join(", ")})`;

const NEW_COLUMNS: RawBuilder<unknown> = sql.raw(NEW_COLUMNS_TEXT);

function newMessages(json: string): RawBuilder<unknown> {
  return sql`jsonb_to_recordset(${json}::jsonb) ${sql.raw(NEW_COLUMNS_ROW)}`;
}

export function toMessagesJson(messages: readonly NewMessage[]): string {
  return toStorableJson(
    messages.map((message, place) => {
      const { usage } = message;
      const columns: Record<keyof typeof NEW_COLUMN_TYPES, unknown> = {
        created_by: message.createdBy,
        model_config_id: message.modelConfigId,
        role: message.role,
        content: message.content,
        visibility: message.visibility ?? "both",
        compressed: message.compressed ?? false,
        reasoning_effort: message.reasoningEffort,
        api_key_id: message.apiKeyId,
        provider_response_id: message.providerResponseId,
        input_tokens: usage?.inputTokens,
        output_tokens: usage?.outputTokens,
        total_tokens: usage?.totalTokens,
        reasoning_tokens: usage?.reasoningTokens,
        cache_creation_tokens: usage?.cacheCreationTokens,
        cache_read_tokens: usage?.cacheReadTokens,
        context_limit: usage?.contextLimit,
        runtime_ms: message.runtimeMs,
        total_cost_micros: message.totalCostMicros,
      };
      return { place, ...columns };
    }),
  );
}

export function toStoredMessage(row: MessageDatabaseRow): StoredMessage {
  return {
    id: row.id,
    chatId: row.chat_id,
    createdAt: row.created_at,
    createdBy: row.created_by,
    modelConfigId: row.model_config_id,
    role: row.role,
    content: row.content,
    visibility: row.visibility,
    compressed: row.compressed,
    deleted: row.deleted,
    revision: row.revision,
    reasoningEffort: row.reasoning_effort,
    apiKeyId: row.api_key_id,
    providerResponseId: row.provider_response_id,
    usage: {
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      totalTokens: row.total_tokens,
      reasoningTokens: row.reasoning_tokens,
      cacheCreationTokens: row.cache_creation_tokens,
      cacheReadTokens: row.cache_read_tokens,
      contextLimit: row.context_limit,
    },
    runtimeMs: row.runtime_ms,
    totalCostMicros: row.total_cost_micros,
  };
}

export function toStoredFromJson(message: MessageJson): StoredMessage {
  return toStoredMessage({ ...message, created_at: new Date(message.created_at) });
}
