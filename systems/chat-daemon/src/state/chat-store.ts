/**
 * The chats' own rows in Postgres: locking, changing, reading. Versions belong to the database's
 * triggers; a lock raises snapshot_version in the same statement.
 */
import { assert } from "@atelier/base/assert";
import type {
  ChatError,
  ChatRetry,
  ChatStatus,
  ReasoningEffort,
} from "@atelier/contract/chat/chat-words";
import type { DynamicTool } from "@atelier/contract/http/chats";
import type { Sql } from "@atelier/database/database";
import { sql, type RawBuilder } from "kysely";
import { toStorableJson } from "../messages/storable-json.ts";
import type { ChatFence, NewChat } from "./chat-machine.ts";
import type { ChatRow } from "./chat-row.ts";
import type { ChatPatch } from "./transition-plan.ts";

/** Locks the chat and begins a new version of it. Undefined: it is not there, or not so any more. */
export async function lockChat(
  db: Sql,
  chatId: string,
  fence: ChatFence | null,
): Promise<ChatRow | undefined> {
  const condition =
    fence === null
      ? sql``
      : sql`and runner_id = ${fence.runnerId} and history_version = ${fence.historyVersion}
          and status = ${fence.status}`;
  const { rows } = await sql<ChatJsonRow>`
    update chats set snapshot_version = snapshot_version + 1
    where id = ${chatId} ${condition} returning ${CHAT_JSON}`.execute(db);
  return rows.map(toChat)[0];
}

/**
 * Those that are not so yet, in the order of ids, so that two who lock a family do not wait for each
 * other.
 */
export async function lockDescendants(
  db: Sql,
  rootChatId: string,
  { exceptArchived }: { readonly exceptArchived: boolean },
): Promise<readonly ChatRow[]> {
  const { rows } = await sql<ChatJsonRow>`
    with family as materialized (
      select id from chats
      where root_chat_id = ${rootChatId} and archived <> ${exceptArchived}
      order by id for update
    )
    update chats set snapshot_version = snapshot_version + 1
    where id in (select id from family) returning ${CHAT_JSON}`.execute(db);
  return rows.map(toChat);
}

/** Undefined: there is none. Whoever asks holds it as it is until the transaction ends. */
export async function findArchivedShared(db: Sql, chatId: string): Promise<boolean | undefined> {
  const { rows } = await sql<{ archived: boolean }>`
    select archived from chats where id = ${chatId} for share`.execute(db);
  return rows[0]?.archived;
}

/** Versions start at 1, the history's too: its first messages come in the same transaction. */
export async function insertChat(db: Sql, chat: NewChat, now: Date): Promise<void> {
  await db
    .insertInto("chats")
    .values({
      id: chat.id,
      organization_id: chat.organizationId,
      owner_id: chat.ownerId,
      workspace_id: chat.workspaceId,
      agent_id: chat.agentId,
      parent_chat_id: chat.parentChatId,
      root_chat_id: chat.rootChatId,
      title: chat.title,
      title_source: chat.titleSource,
      status: "running",
      history_version: 1,
      last_model_config_id: chat.lastModelConfigId,
      last_reasoning_effort: chat.lastReasoningEffort,
      mode: chat.mode,
      plan_mode: chat.planMode,
      mcp_server_ids: [...chat.mcpServerIds],
      dynamic_tools: chat.dynamicTools === null ? null : toStorableJson(chat.dynamicTools),
      labels: toStorableJson(chat.labels),
      client_type: chat.clientType,
      created_at: now,
      updated_at: now,
    })
    .execute();
}

/** Returns the row as triggers have left it. Undefined `touchedAt`: the chat does not move up lists. */
export async function updateChat(
  db: Sql,
  chatId: string,
  patch: ChatPatch,
  touchedAt: Date | undefined,
): Promise<ChatRow> {
  const sets = Object.entries(patch).map(([key, value]) => {
    const column = COLUMN_OF[key as keyof ChatPatch]; // `patch` has no other keys.
    return sql`${sql.ref(column)} = ${JSON_COLUMNS.has(column) ? toJson(value) : value}`;
  });
  if (touchedAt !== undefined) sets.push(sql`updated_at = ${touchedAt}`);
  const { rows } =
    sets.length === 0
      ? await sql<ChatJsonRow>`
          select ${CHAT_JSON} from chats where id = ${chatId}`.execute(db)
      : await sql<ChatJsonRow>`
          update chats set ${sql.join(sets)} where id = ${chatId}
          returning ${CHAT_JSON}`.execute(db);
  const [row] = rows;
  assert(row !== undefined, "a locked chat stays until its transaction ends");
  return toChat(row);
}

export async function findChat(db: Sql, chatId: string): Promise<ChatRow | undefined> {
  const { rows } = await sql<ChatJsonRow>`
    select ${CHAT_JSON} from chats where id = ${chatId}`.execute(db);
  return rows.map(toChat)[0];
}

/** What columns of `chats` arrive as, by the pool's own parsers. */
export type ChatDatabaseRow = {
  readonly id: string;
  readonly organization_id: string;
  readonly owner_id: string;
  readonly workspace_id: string | null;
  readonly agent_id: string | null;
  readonly parent_chat_id: string | null;
  readonly root_chat_id: string | null;
  readonly title: string;
  readonly title_source: ChatRow["titleSource"];
  readonly status: ChatStatus;
  readonly archived: boolean;
  readonly last_error: ChatError | null;
  readonly worker_id: string | null;
  readonly runner_id: string | null;
  readonly fence: number;
  readonly snapshot_version: number;
  readonly history_version: number;
  readonly queue_version: number;
  readonly queue_length: number;
  readonly retry_state_version: number;
  readonly generation_attempt: number;
  readonly retry_state: ChatRetry | null;
  readonly requires_action_deadline_at: Date | null;
  readonly compaction_requested_at: Date | null;
  readonly last_model_config_id: string;
  readonly last_reasoning_effort: ReasoningEffort | null;
  readonly mode: ChatRow["mode"];
  readonly plan_mode: ChatRow["planMode"];
  readonly mcp_server_ids: readonly string[];
  readonly dynamic_tools: readonly DynamicTool[] | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly pin_order: number;
  readonly last_read_message_id: number | null;
  readonly last_turn_summary: string | null;
  readonly client_type: ChatRow["clientType"];
  readonly created_at: Date;
  readonly updated_at: Date;
};

const CHAT_COLUMN_NAMES = [
  "id",
  "organization_id",
  "owner_id",
  "workspace_id",
  "agent_id",
  "parent_chat_id",
  "root_chat_id",
  "title",
  "title_source",
  "status",
  "archived",
  "last_error",
  "worker_id",
  "runner_id",
  "fence",
  "snapshot_version",
  "history_version",
  "queue_version",
  "queue_length",
  "retry_state_version",
  "generation_attempt",
  "retry_state",
  "requires_action_deadline_at",
  "compaction_requested_at",
  "last_model_config_id",
  "last_reasoning_effort",
  "mode",
  "plan_mode",
  "mcp_server_ids",
  "dynamic_tools",
  "labels",
  "pin_order",
  "last_read_message_id",
  "last_turn_summary",
  "client_type",
  "created_at",
  "updated_at",
] as const satisfies readonly (keyof ChatDatabaseRow)[];

/** For statements that name the table `chats` by its name. */
export const CHAT_COLUMNS_TEXT: string = CHAT_COLUMN_NAMES.map((name) => `chats.${name}`).join(
  ", ",
);

/**
 * The same as one column of JSON, for statements of the hot path: the driver describes each column of each
 * answer anew, which costs more than to read them.
 */
export const CHAT_JSON_TEXT = `(
    select to_json(chat) from (select ${CHAT_COLUMNS_TEXT} offset 0) as chat)`;

const CHAT_JSON: RawBuilder<unknown> = sql.raw(`${CHAT_JSON_TEXT} as chat`);

type ChatJsonRow = { readonly chat: ChatJson };

function toChat({ chat }: ChatJsonRow): ChatRow {
  return toChatFromJson(chat);
}

/** As JSON has it: times are text. */
type ChatJson = {
  readonly [Name in keyof ChatDatabaseRow]: Date extends ChatDatabaseRow[Name]
    ? Exclude<ChatDatabaseRow[Name], Date> | string
    : ChatDatabaseRow[Name];
};

/** What `CHAT_JSON_TEXT` gave. */
export function toChatFromText(text: string): ChatRow {
  return toChatFromJson(JSON.parse(text) as ChatJson); // As selected.
}

function toChatFromJson(row: ChatJson): ChatRow {
  return toChatRow({
    ...row,
    requires_action_deadline_at: toDate(row.requires_action_deadline_at),
    compaction_requested_at: toDate(row.compaction_requested_at),
    created_at: new Date(row.created_at),
    updated_at: new Date(row.updated_at),
  });
}

function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

const COLUMN_OF: Readonly<Record<keyof ChatPatch, keyof ChatDatabaseRow>> = {
  status: "status",
  archived: "archived",
  lastError: "last_error",
  workerId: "worker_id",
  runnerId: "runner_id",
  generationAttempt: "generation_attempt",
  retryState: "retry_state",
  requiresActionDeadlineAt: "requires_action_deadline_at",
  compactionRequestedAt: "compaction_requested_at",
  lastModelConfigId: "last_model_config_id",
  lastReasoningEffort: "last_reasoning_effort",
  pinOrder: "pin_order",
};
const JSON_COLUMNS: ReadonlySet<keyof ChatDatabaseRow> = new Set(["last_error", "retry_state"]);

function toJson(value: unknown): string | null {
  return value === null ? null : toStorableJson(value);
}

export function toChatRow(row: ChatDatabaseRow): ChatRow {
  return {
    id: row.id,
    organizationId: row.organization_id,
    ownerId: row.owner_id,
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    parentChatId: row.parent_chat_id,
    rootChatId: row.root_chat_id,
    title: row.title,
    titleSource: row.title_source,
    status: row.status,
    archived: row.archived,
    lastError: row.last_error,
    workerId: row.worker_id,
    runnerId: row.runner_id,
    fence: row.fence,
    snapshotVersion: row.snapshot_version,
    historyVersion: row.history_version,
    queueVersion: row.queue_version,
    queueLength: row.queue_length,
    retryStateVersion: row.retry_state_version,
    generationAttempt: row.generation_attempt,
    retryState: row.retry_state,
    requiresActionDeadlineAt: row.requires_action_deadline_at,
    compactionRequestedAt: row.compaction_requested_at,
    lastModelConfigId: row.last_model_config_id,
    lastReasoningEffort: row.last_reasoning_effort,
    mode: row.mode,
    planMode: row.plan_mode,
    mcpServerIds: row.mcp_server_ids,
    dynamicTools: row.dynamic_tools,
    labels: row.labels,
    pinOrder: row.pin_order,
    lastReadMessageId: row.last_read_message_id,
    lastTurnSummary: row.last_turn_summary,
    clientType: row.client_type,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
