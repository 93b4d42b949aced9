/** Reads what a viewer of a chat may not hold yet: all of one moment, in one statement. */
import { ChatError, ChatRetry, type ChatStatus } from "@atelier/contract/chat/chat-words";
import { forClients, MessagePart, type MessageRole } from "@atelier/contract/chat/message-part";
import type { ChatMessage, ChatQueuedMessage, ChatUsage } from "@atelier/contract/http/chats";
import type { Database, Sql } from "@atelier/database/database";
import { z } from "zod";
import type { ChatView } from "./viewer-sync.ts";

export type ViewSince = {
  readonly chatId: string;
  readonly historyVersion: number;
  readonly queueVersion: number;
  /** Only messages behind this one. */
  readonly afterId: number;
};

/** A message as JSON of the database, times as ISO texts. */
type MessageJson = {
  readonly id: number;
  readonly created_at: string;
  readonly created_by: string | null;
  readonly model_config_id: string | null;
  readonly role: MessageRole;
  readonly content: unknown;
  readonly usage: Readonly<Record<string, number | null>>;
};

type QueuedJson = Pick<MessageJson, "id" | "content" | "model_config_id" | "created_at">;

type ViewRow = {
  readonly snapshot_version: number;
  readonly history_version: number;
  readonly queue_version: number;
  readonly retry_state_version: number;
  readonly generation_attempt: number;
  readonly status: ChatStatus;
  readonly worker_id: string | null;
  readonly last_error: unknown;
  readonly retry_state: unknown;
  readonly dynamic_tools: readonly { readonly name: string }[] | null;
  readonly is_history_cut: boolean;
  readonly messages: readonly MessageJson[] | null;
  /** Contents from the last assistant row on. */
  readonly last_step: readonly unknown[] | null;
  readonly queue: readonly QueuedJson[] | null;
};

const MESSAGE_JSON = `jsonb_build_object(
  'id', m.id, 'role', m.role, 'content', m.content, 'created_by', m.created_by,
  'model_config_id', m.model_config_id,
  'created_at', to_char(m.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'usage', jsonb_build_object(
    'input_tokens', m.input_tokens, 'output_tokens', m.output_tokens,
    'total_tokens', m.total_tokens, 'reasoning_tokens', m.reasoning_tokens,
    'cache_creation_tokens', m.cache_creation_tokens, 'cache_read_tokens', m.cache_read_tokens,
    'context_limit', m.context_limit))`;

/**
 * $1 chat, $2 history version and $3 queue version that the viewer holds, $4 id of its last message.
 *
 * A viewer that comes back names only a message. What changed later than that message is newer than what
 * the viewer holds; where the message is gone, so is what the viewer knows.
 *
 * To who has held the chat all along only what changed is read, by the index of revisions, however long it is.
 * "offset 0" has what comes before computed once; in each place where it is used it would make one plan for all
 * values look dear, and Postgres would plan anew each time.
 */
const READ_VIEW = {
  name: "read_chat_view",
  text: `select c.snapshot_version, c.history_version, c.queue_version, c.retry_state_version,
      c.generation_attempt, c.status, c.worker_id, c.last_error, c.retry_state, c.dynamic_tools,
      cut.is_cut as is_history_cut,
      case when c.history_version > $2 then (
        select jsonb_agg(${MESSAGE_JSON} order by m.id) from chat_messages m
        where m.chat_id = c.id and not m.deleted and m.visibility <> 'model'
          and m.revision >= case when cut.is_cut or $2 < 0 then 0 else $2 + 1 end
          and (cut.is_cut or m.revision > held.revision or ($2 < 0 and m.id > $4))
      ) end as messages,
      case when c.status = 'requires_action' then (
        select jsonb_agg(m.content order by m.id) from chat_messages m
        where m.chat_id = c.id and not m.deleted and m.id >= (
          select max(a.id) from chat_messages a
          where a.chat_id = c.id and not a.deleted and a.role = 'assistant')
      ) end as last_step,
      case when c.queue_version > $3 then (
        select coalesce(jsonb_agg(jsonb_build_object(
          'id', q.id, 'content', q.content, 'model_config_id', q.model_config_id,
          'created_at', to_char(q.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        ) order by q.position, q.id), '[]'::jsonb)
        from chat_queued_messages q where q.chat_id = c.id
      ) end as queue
    from chats c, lateral (
      select case
        when $2 >= 0 then $2
        when $4 <= 0 then -1
        else (select h.revision from chat_messages h
          where h.chat_id = c.id and h.id = $4 and not h.deleted)
      end as revision offset 0
    ) held, lateral (
      select held.revision is null or (
        held.revision >= 0 and c.history_version > held.revision and exists (
          select from chat_messages d
          where d.chat_id = c.id and d.revision > held.revision and d.deleted)
      ) as is_cut offset 0
    ) cut
    where c.id = $1`,
};

/** Undefined: the chat is gone. */
export async function readView(
  { pool }: Pick<Database, "pool">,
  since: ViewSince,
): Promise<ChatView | undefined> {
  const { chatId, historyVersion, queueVersion, afterId } = since;
  const { rows } = await pool.query<ViewRow>({
    ...READ_VIEW,
    values: [chatId, historyVersion, queueVersion, afterId],
  });
  const row = rows[0];
  if (row === undefined) return undefined;
  const messages = (row.messages ?? []).map((message) => toMessage(chatId, message));
  return {
    chatId,
    snapshotVersion: row.snapshot_version,
    historyVersion: row.history_version,
    queueVersion: row.queue_version,
    retryStateVersion: row.retry_state_version,
    generationAttempt: row.generation_attempt,
    status: row.status,
    workerId: row.worker_id,
    lastError: row.last_error === null ? null : ChatError.parse(row.last_error),
    retryState: row.retry_state === null ? null : ChatRetry.parse(row.retry_state),
    awaitedCalls: awaitedCalls(row.last_step ?? [], row.dynamic_tools),
    isHistoryCut: row.is_history_cut,
    messages,
    queue: row.queue === null ? null : row.queue.map((message) => toQueued(chatId, message)),
  };
}

/** Versions of many chats, for those whose notifications were lost. */
export async function readSnapshotVersions(
  db: Sql,
  chatIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (chatIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("chats")
    .select(["id", "snapshot_version"])
    .where("id", "in", chatIds)
    .execute();
  return new Map(rows.map((row) => [row.id, row.snapshot_version]));
}

/** Calls of the client's tools that no result answers. */
function awaitedCalls(
  contents: readonly unknown[],
  tools: readonly { readonly name: string }[] | null,
): ChatView["awaitedCalls"] {
  const names = new Set((tools ?? []).map(({ name }) => name));
  const calls = new Map<string, ChatView["awaitedCalls"][number]>();
  for (const part of contents.flatMap((content) => Content.parse(content))) {
    if (part.type === "tool-call" && names.has(part.tool_name)) {
      const { tool_call_id, tool_name, args } = part;
      calls.set(tool_call_id, { tool_call_id, tool_name, args });
    }
    if (part.type === "tool-result") calls.delete(part.tool_call_id);
  }
  return [...calls.values()];
}

const Content = z.array(MessagePart);

function toMessage(chatId: string, json: MessageJson): ChatMessage {
  const usage = toUsage(json.usage);
  return {
    id: json.id,
    chat_id: chatId,
    ...(json.created_by === null ? {} : { created_by: json.created_by }),
    ...(json.model_config_id === null ? {} : { model_config_id: json.model_config_id }),
    created_at: json.created_at,
    role: json.role,
    content: Content.parse(json.content).map(forClients),
    ...(Object.keys(usage).length === 0 ? {} : { usage }),
  };
}

function toQueued(chatId: string, json: QueuedJson): ChatQueuedMessage {
  const { id, created_at, model_config_id } = json;
  return {
    id,
    chat_id: chatId,
    ...(model_config_id === null ? {} : { model_config_id }),
    content: Content.parse(json.content).map(forClients),
    created_at,
  };
}

function toUsage(usage: MessageJson["usage"]): ChatUsage {
  return Object.fromEntries(Object.entries(usage).filter(([, count]) => count !== null));
}
