/**
 * What lists and pages show of a chat, read with it: besides its own columns what stands in its history
 * near the end. Each costs a look into an index, so pages are cut before they are read.
 */
import {
  ChatError,
  ChatRetry,
  type ChatAsk,
  type ChatInboxSection,
  type ChatStatus,
  type ReasoningEffort,
} from "@atelier/contract/chat/chat-words";
import { CHAT_ACTION_SUBJECT_MAX, type ChatDiffStatus } from "@atelier/contract/http/chats";
import { sql, type RawBuilder } from "kysely";
import type { ShownAction, ShownChat } from "./shown-chat.ts";

export const IS_UNREAD: RawBuilder<unknown> = sql`exists (
  select from chat_messages m
  where m.chat_id = c.id and m.id > coalesce(c.last_read_message_id, 0)
    and m.role = 'assistant' and not m.deleted and m.visibility <> 'model')`;

/** What people recognise a call by. The dashboard looks for the same fields, in this order. */
const SUBJECT_FIELDS = ["command", "path", "query", "url", "name", "title", "prompt"];
const SUBJECT = sql.join(
  [
    ...SUBJECT_FIELDS.map((name) => sql`nullif(part -> 'args' ->> ${sql.lit(name)}, '')`),
    sql`part #>> '{args,edits,0,path}'`,
    sql`part #>> '{args,questions,0,question}'`,
    sql`''`,
  ],
  sql`, `,
);

/** Of the chats `c` that are given, in their order. */
export function shownChats(chats: RawBuilder<unknown>): RawBuilder<ShownRow> {
  return sql<ShownRow>`
    select
      c.id, c.organization_id, c.owner_id, c.workspace_id, c.agent_id, c.parent_chat_id,
      c.root_chat_id, c.last_model_config_id, c.last_reasoning_effort, c.title, c.status, c.mode,
      c.plan_mode, c.last_error, c.last_turn_summary, c.created_at, c.updated_at, c.archived,
      c.pin_order, c.mcp_server_ids, c.labels, c.client_type, c.queue_length, c.asks,
      c.inbox_section, c.inbox_since, c.retry_state, ${IS_UNREAD} as has_unread,
      (select max(m.id) from chat_messages m
        where m.chat_id = c.id and m.role = 'user' and not m.deleted and m.visibility <> 'model')
        as turn_message_id,
      exists (
        select from chat_readers r where r.chat_id = coalesce(c.root_chat_id, c.id)) as is_shared,
      (select context_limit from chat_model_configs where id = c.last_model_config_id)
        as context_limit,
      coalesce(answer.input_tokens, answer.cache_read_tokens, answer.cache_creation_tokens) is not null
        as has_usage,
      coalesce(answer.input_tokens, 0) + coalesce(answer.cache_read_tokens, 0)
        + coalesce(answer.cache_creation_tokens, 0) + coalesce(answer.output_tokens, 0)
        as context_tokens,
      (
        select jsonb_build_object(
          'tool_name', part ->> 'tool_name',
          'subject', left(
            case part ->> 'type' when 'text' then part ->> 'text' else coalesce(${SUBJECT}) end,
            ${sql.lit(CHAT_ACTION_SUBJECT_MAX)}),
          'is_done', part ->> 'type' = 'text' or exists (
            select from chat_messages r
            where r.chat_id = c.id and r.id > answer.id and r.role = 'tool' and not r.deleted))
        from jsonb_array_elements(answer.content) with ordinality parts (part, place)
        where part ->> 'type' in ('text', 'tool-call') order by place desc limit 1
      ) as action,
      answer.created_at as action_at,
      (
        select jsonb_build_object(
          'additions', d.additions, 'deletions', d.deletions, 'changed_files', d.changed_files,
          'is_cut', d.is_cut, 'git_branch', d.git_branch, 'git_remote_origin', d.git_remote_origin,
          'ahead', d.ahead, 'behind', d.behind,
          'repositories', (select count(*) from jsonb_object_keys(d.bases)),
          'refreshed_at', to_char(d.refreshed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
        from chat_diff_statuses d
        where d.chat_id = c.id and d.workspace_id = c.workspace_id and d.bases <> '{}'
      ) as diff_status
    from (${chats}) c
    left join lateral (
      select m.id, m.created_at, m.content, m.input_tokens, m.output_tokens, m.cache_read_tokens,
        m.cache_creation_tokens
      from chat_messages m
      where m.chat_id = c.id and m.role = 'assistant' and not m.deleted and m.visibility <> 'model'
      order by m.id desc limit 1
    ) answer on true`;
}

export type ShownRow = {
  readonly id: string;
  readonly organization_id: string;
  readonly owner_id: string;
  readonly workspace_id: string | null;
  readonly agent_id: string | null;
  readonly parent_chat_id: string | null;
  readonly root_chat_id: string | null;
  readonly last_model_config_id: string;
  readonly last_reasoning_effort: ReasoningEffort | null;
  readonly title: string;
  readonly status: ChatStatus;
  readonly mode: "computer_use" | "explore" | null;
  readonly plan_mode: "plan" | null;
  readonly last_error: unknown;
  readonly last_turn_summary: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly archived: boolean;
  readonly is_shared: boolean;
  readonly pin_order: number;
  readonly mcp_server_ids: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly client_type: "ui" | "api";
  readonly queue_length: number;
  readonly asks: ChatAsk | null;
  readonly inbox_section: ChatInboxSection;
  readonly inbox_since: Date;
  readonly retry_state: unknown;
  readonly has_unread: boolean;
  readonly turn_message_id: number | null;
  readonly context_limit: number | null;
  readonly has_usage: boolean;
  readonly context_tokens: number;
  readonly action: {
    readonly tool_name: string | null;
    readonly subject: string;
    readonly is_done: boolean;
  } | null;
  readonly action_at: Date | null;
  readonly diff_status: ChatDiffStatus | null;
};

export function toShown(row: ShownRow): ShownChat {
  return {
    id: row.id,
    organizationId: row.organization_id,
    ownerId: row.owner_id,
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    parentChatId: row.parent_chat_id,
    rootChatId: row.root_chat_id,
    lastModelConfigId: row.last_model_config_id,
    lastReasoningEffort: row.last_reasoning_effort,
    title: row.title,
    status: row.status,
    mode: row.mode,
    planMode: row.plan_mode,
    lastError: row.last_error === null ? null : ChatError.parse(row.last_error),
    lastTurnSummary: row.last_turn_summary,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    archived: row.archived,
    isShared: row.is_shared,
    pinOrder: row.pin_order,
    mcpServerIds: row.mcp_server_ids,
    labels: row.labels,
    hasUnread: row.has_unread,
    turnMessageId: row.turn_message_id,
    clientType: row.client_type,
    queueLength: row.queue_length,
    asks: row.asks,
    inboxSection: row.inbox_section,
    inboxSince: row.inbox_since,
    lastAction: actionOf(row),
    // Kept until the next attempt begins; what stopped meanwhile is not tried again.
    retry:
      row.retry_state === null || row.status !== "running"
        ? null
        : ChatRetry.parse(row.retry_state),
    contextTokens: row.has_usage ? row.context_tokens : null,
    contextLimit: row.context_limit,
    diffStatus: row.diff_status,
  };
}

function actionOf({ action, action_at: at }: ShownRow): ShownAction | null {
  if (action === null || at === null) return null;
  return { toolName: action.tool_name, subject: action.subject, at, isDone: action.is_done };
}
