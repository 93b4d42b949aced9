/** Lists of chats, and what is shown of one: its children, its queue's length, whether something is unread. */
import {
  ChatError,
  type ChatStatus,
  type ReasoningEffort,
} from "@atelier/contract/chat/chat-words";
import type { Sql } from "@atelier/database/database";
import { sql, type RawBuilder } from "kysely";
import type { ChatFilter, ChatPage, ShownChat } from "./shown-chat.ts";

/**
 * Root chats: pinned ones in their order, then the others, the latest first. Each kind has an index in
 * its order, so a page costs the same however many chats there are.
 */
export async function listShownChats(
  db: Sql,
  filter: ChatFilter,
  page: ChatPage,
): Promise<readonly ShownChat[]> {
  const cursor = page.afterId === null ? null : await findCursor(db, filter, page.afterId);
  if (page.afterId !== null && cursor === null) return [];
  const wanted = page.limit + page.offset;
  const isPastPinned = cursor !== null && cursor.pin_order === 0;
  const afterPinned =
    cursor === null
      ? sql``
      : sql`and (c.pin_order, c.id) > (${cursor.pin_order}, ${cursor.id}::uuid)`;
  const pinned = isPastPinned
    ? sql`select ${COLUMNS} from chats c where false`
    : inBothHalves(
        filter,
        (matches) => sql`
        select ${COLUMNS} from chats c where ${matches} and c.pin_order > 0 ${afterPinned}
        order by c.pin_order, c.id limit ${wanted}`,
      );
  const afterRecent = isPastPinned
    ? sql`and (c.updated_at, c.id) < (${cursor.updated_at}, ${cursor.id}::uuid)`
    : sql``;
  const others = inBothHalves(
    filter,
    (matches) => sql`
    select ${COLUMNS} from chats c where ${matches} and c.pin_order = 0 ${afterRecent}
    order by c.updated_at desc, c.id desc limit ${wanted}`,
  );
  const { rows } = await sql<ShownRow>`
    select * from (
      select * from (select * from (${pinned}) pinned order by pin_order, id limit ${wanted}) pinned
      union all
      select * from (
        select * from (${others}) others order by updated_at desc, id desc limit ${wanted}) others
    ) page limit ${page.limit} offset ${page.offset}`.execute(db);
  return rows.map(toShown);
}

/** Archived chats and the others are apart in the indexes, so who wants both gets them from two reads. */
function inBothHalves(
  filter: ChatFilter,
  read: (matches: RawBuilder<unknown>) => RawBuilder<unknown>,
): RawBuilder<unknown> {
  if (filter.archived !== undefined) return read(matching(filter));
  const half = (archived: boolean) => read(matching({ ...filter, archived }));
  return sql`select * from (${half(false)}) half union all select * from (${half(true)}) half`;
}

/** Of these roots, the latest first. */
export async function listShownChildren(
  db: Sql,
  rootIds: readonly string[],
): Promise<readonly ShownChat[]> {
  if (rootIds.length === 0) return [];
  const { rows } = await sql<ShownRow>`
    select ${COLUMNS} from chats c where c.root_chat_id = any(${rootIds}::uuid[])
    order by c.updated_at desc, c.id desc`.execute(db);
  return rows.map(toShown);
}

export async function findShownChat(db: Sql, chatId: string): Promise<ShownChat | undefined> {
  const { rows } = await sql<ShownRow>`
    select ${COLUMNS} from chats c where c.id = ${chatId}`.execute(db);
  return rows.map(toShown)[0];
}

type ShownRow = {
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
  readonly pin_order: number;
  readonly mcp_server_ids: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly has_unread: boolean;
  readonly client_type: "ui" | "api";
  readonly queue_length: number;
};

const IS_UNREAD = sql`exists (
  select from chat_messages m
  where m.chat_id = c.id and m.id > coalesce(c.last_read_message_id, 0)
    and m.role = 'assistant' and not m.deleted and m.visibility <> 'model')`;

const COLUMNS = sql`
  c.id, c.organization_id, c.owner_id, c.workspace_id, c.agent_id, c.parent_chat_id, c.root_chat_id,
  c.last_model_config_id, c.last_reasoning_effort, c.title, c.status, c.mode, c.plan_mode,
  c.last_error, c.last_turn_summary, c.created_at, c.updated_at, c.archived, c.pin_order,
  c.mcp_server_ids, c.labels, c.client_type, c.queue_length,
  ${IS_UNREAD} as has_unread`;

function matching(filter: ChatFilter): RawBuilder<unknown> {
  const { ownerId, archived, titlePart, statuses, hasUnread, labels } = filter;
  const terms = [sql`c.owner_id = ${ownerId}`, sql`c.parent_chat_id is null`];
  if (archived !== undefined) terms.push(sql`c.archived = ${archived}`);
  if (titlePart !== undefined) {
    terms.push(sql`strpos(lower(c.title), lower(${titlePart})) > 0`);
  }
  if (statuses !== undefined) terms.push(sql`c.status = any(${statuses}::text[])`);
  if (hasUnread !== undefined) terms.push(sql`${IS_UNREAD} = ${hasUnread}`);
  if (Object.keys(labels).length > 0) terms.push(sql`c.labels @> ${JSON.stringify(labels)}::jsonb`);
  return sql.join(terms, sql` and `);
}

type Cursor = { readonly id: string; readonly pin_order: number; readonly updated_at: Date };

async function findCursor(db: Sql, { ownerId }: ChatFilter, id: string): Promise<Cursor | null> {
  const row = await db
    .selectFrom("chats")
    .select(["id", "pin_order", "updated_at"])
    .where("id", "=", id)
    .where("owner_id", "=", ownerId)
    .executeTakeFirst();
  return row ?? null;
}

function toShown(row: ShownRow): ShownChat {
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
    pinOrder: row.pin_order,
    mcpServerIds: row.mcp_server_ids,
    labels: row.labels,
    hasUnread: row.has_unread,
    clientType: row.client_type,
    queueLength: row.queue_length,
  };
}
