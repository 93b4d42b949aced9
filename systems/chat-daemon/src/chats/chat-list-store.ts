/** Lists of chats: a person's, those of one section of their inbox, and the children of some. */
import type { Sql } from "@atelier/database/database";
import { isOneOf } from "@atelier/database/one-of";
import { sql, type RawBuilder } from "kysely";
import type { ChatFilter, ChatPage, ShownChat } from "./shown-chat.ts";
import { IS_UNREAD, shownChats, toShown } from "./shown-chat-store.ts";

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
  if (filter.source === "shared") return listShared(db, filter, page, cursor);
  if (filter.section !== undefined) return listSection(db, filter, page, cursor);
  const wanted = page.limit + page.offset;
  const isPastPinned = cursor !== null && cursor.pin_order === 0;
  const afterPinned =
    cursor === null
      ? sql``
      : sql`and (c.pin_order, c.id) > (${cursor.pin_order}, ${cursor.id}::uuid)`;
  const pinned = isPastPinned
    ? sql`select c.* from chats c where false`
    : inBothHalves(
        filter,
        (matches) => sql`
        select c.* from chats c where ${matches} and c.pin_order > 0 ${afterPinned}
        order by c.pin_order, c.id limit ${wanted}`,
      );
  const afterRecent = olderThan(isPastPinned ? cursor : null);
  const others = inBothHalves(
    filter,
    (matches) => sql`
    select c.* from chats c where ${matches} and c.pin_order = 0 ${afterRecent}
    order by c.updated_at desc, c.id desc limit ${wanted}`,
  );
  const { rows } = await shownChats(sql`
    select * from (
      select * from (select * from (${pinned}) pinned order by pin_order, id limit ${wanted}) pinned
      union all
      select * from (
        select * from (${others}) others order by updated_at desc, id desc limit ${wanted}) others
    ) page limit ${page.limit} offset ${page.offset}`).execute(db);
  return rows.map(toShown);
}

/** The latest first: pins are their owners'. */
async function listShared(
  db: Sql,
  filter: ChatFilter,
  page: ChatPage,
  cursor: Cursor | null,
): Promise<readonly ShownChat[]> {
  const { rows } = await shownChats(sql`
    select c.* from chats c where ${matching(filter)} ${olderThan(cursor)}
    order by c.updated_at desc, c.id desc
    limit ${page.limit} offset ${page.offset}`).execute(db);
  return rows.map(toShown);
}

/** What follows the cursor where the latest comes first. */
function olderThan(cursor: Cursor | null): RawBuilder<unknown> {
  return cursor === null
    ? sql``
    : sql`and (c.updated_at, c.id) < (${cursor.updated_at}, ${cursor.id}::uuid)`;
}

/** What came into the section last stands first, but of those that need somebody what waits longest. */
async function listSection(
  db: Sql,
  filter: ChatFilter,
  page: ChatPage,
  cursor: Cursor | null,
): Promise<readonly ShownChat[]> {
  const isOldestFirst = filter.section === "needs_you";
  const place = sql`(c.inbox_since, c.id)`;
  const here = cursor === null ? null : sql`(${cursor.inbox_since}, ${cursor.id}::uuid)`;
  const behind =
    here === null
      ? sql``
      : isOldestFirst
        ? sql`and ${place} > ${here}`
        : sql`and ${place} < ${here}`;
  const direction = isOldestFirst ? sql`asc` : sql`desc`;
  const { rows } = await shownChats(sql`
    select c.* from chats c where ${matching(filter)} ${behind}
    order by c.inbox_since ${direction}, c.id ${direction}
    limit ${page.limit} offset ${page.offset}`).execute(db);
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
  const { rows } = await shownChats(sql`
    select c.* from chats c where ${isOneOf(sql`c.root_chat_id`, rootIds, "uuid")}
    order by c.updated_at desc, c.id desc`).execute(db);
  return rows.map(toShown);
}

/** Of each owner in each of these workspaces, the latest root that is not archived; the latest first. */
export async function listLatestInWorkspaces(
  db: Sql,
  workspaceIds: readonly string[],
): Promise<
  readonly { readonly id: string; readonly workspaceId: string; readonly ownerId: string }[]
> {
  if (workspaceIds.length === 0) return [];
  const { rows } = await sql<{ id: string; workspaceId: string; ownerId: string }>`
    select id, "workspaceId", "ownerId" from (
      select distinct on (workspace_id, owner_id)
        id, workspace_id as "workspaceId", owner_id as "ownerId", updated_at
      from chats
      where workspace_id = any(${workspaceIds}::uuid[]) and parent_chat_id is null and not archived
      order by workspace_id, owner_id, updated_at desc, id desc
    ) latest
    order by updated_at desc, id desc`.execute(db);
  return rows;
}

export async function findShownChat(db: Sql, chatId: string): Promise<ShownChat | undefined> {
  const { rows } = await shownChats(sql`select c.* from chats c where c.id = ${chatId}`).execute(
    db,
  );
  return rows.map(toShown)[0];
}

/** Those that are there, in no order. */
export async function listShownById(
  db: Sql,
  chatIds: readonly string[],
): Promise<readonly ShownChat[]> {
  const { rows } = await shownChats(sql`
    select c.* from chats c where c.id = any(${chatIds}::uuid[])`).execute(db);
  return rows.map(toShown);
}

function matching(filter: ChatFilter): RawBuilder<unknown> {
  const { archived, titlePart, searched, statuses, section, hasUnread, labels } = filter;
  const terms = [whose(filter), sql`c.parent_chat_id is null`];
  if (archived !== undefined) terms.push(sql`c.archived = ${archived}`);
  if (titlePart !== undefined) {
    terms.push(sql`strpos(lower(c.title), lower(${titlePart})) > 0`);
  }
  if (searched !== undefined) terms.push(isFound(searched));
  if (statuses !== undefined) terms.push(sql`c.status = any(${statuses}::text[])`);
  if (section !== undefined) terms.push(sql`c.inbox_section = ${section}`);
  if (hasUnread !== undefined) terms.push(sql`${IS_UNREAD} = ${hasUnread}`);
  if (Object.keys(labels).length > 0) terms.push(sql`c.labels @> ${JSON.stringify(labels)}::jsonb`);
  return sql.join(terms, sql` and `);
}

type Cursor = {
  readonly id: string;
  readonly pin_order: number;
  readonly updated_at: Date;
  readonly inbox_since: Date;
};

async function findCursor(db: Sql, filter: ChatFilter, id: string): Promise<Cursor | null> {
  const { rows } = await sql<Cursor>`
    select c.id, c.pin_order, c.updated_at, c.inbox_since from chats c
    where c.id = ${id} and ${whose(filter)}`.execute(db);
  return rows[0] ?? null;
}

function isFound(searched: string): RawBuilder<unknown> {
  // Nothing is said by punctuation alone.
  if (!/[\p{L}\p{N}]/u.test(searched)) return sql`false`;
  return sql`(
    strpos(lower(c.title), lower(${searched})) > 0 or c.id in (
      select root_chat_id from chat_words where words @@ websearch_to_tsquery('english', ${searched})
    ))`;
}

function whose({ userId, source }: ChatFilter): RawBuilder<unknown> {
  return source === "own"
    ? sql`c.owner_id = ${userId}`
    : sql`c.id in (select chat_id from chat_readers where user_id = ${userId})`;
}
