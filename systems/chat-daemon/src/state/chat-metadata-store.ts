/**
 * What of a chat is no execution state: title, labels, pins, what it is bound to, how far it was read.
 * Ordinary updates, which raise no version (spec agents 2.1).
 */
import type { ChatNewsKind } from "@atelier/contract/http/chat-sockets";
import type { Sql } from "@atelier/database/database";
import { publish } from "@atelier/database/pub-sub";
import { sql } from "kysely";
import { chatWatchChannel } from "./chat-machine.ts";

export type ChatMetadata = {
  readonly title: string;
  readonly titleSource: "user" | "fallback" | "generated";
  readonly workspaceId: string | null;
  readonly agentId: string | null;
  readonly planMode: "plan" | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly mcpServerIds: readonly string[];
  readonly lastTurnSummary: string | null;
};

/** What is not named stays. False: there is no such chat. */
export async function updateChatMetadata(
  db: Sql,
  chatId: string,
  change: Partial<ChatMetadata>,
): Promise<boolean> {
  const { title, titleSource, workspaceId, agentId, planMode, labels, mcpServerIds } = change;
  const { lastTurnSummary } = change;
  const result = await db
    .updateTable("chats")
    .set({
      ...(title === undefined ? {} : { title }),
      ...(titleSource === undefined ? {} : { title_source: titleSource }),
      ...(workspaceId === undefined ? {} : { workspace_id: workspaceId }),
      ...(agentId === undefined ? {} : { agent_id: agentId }),
      ...(planMode === undefined ? {} : { plan_mode: planMode }),
      ...(labels === undefined ? {} : { labels: JSON.stringify(labels) }),
      ...(mcpServerIds === undefined ? {} : { mcp_server_ids: [...mcpServerIds] }),
      ...(lastTurnSummary === undefined ? {} : { last_turn_summary: lastTurnSummary }),
      // Kysely wants a column; this one is its own value.
      mode: sql`mode`,
    })
    .where("id", "=", chatId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** A generated title, unless somebody named the chat meanwhile. False: nothing was written. */
export async function updateGeneratedTitle(
  db: Sql,
  chatId: string,
  title: string,
): Promise<boolean> {
  const result = await db
    .updateTable("chats")
    .set({ title, title_source: "generated" })
    .where("id", "=", chatId)
    .where("title_source", "<>", "user")
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** The owner has seen the latest answer, and other lists of theirs hear it. Nothing happens where it is
 * somebody else's chat, or was seen before. */
export async function markRead(
  db: Sql,
  { chatId, ownerId }: { readonly chatId: string; readonly ownerId: string },
): Promise<void> {
  const read = await sql`
    update chats c set last_read_message_id = latest.id
    from (
      select max(m.id) as id from chat_messages m
      where m.chat_id = ${chatId} and m.role = 'assistant' and not m.deleted
        and m.visibility <> 'model'
    ) latest
    where c.id = ${chatId} and c.owner_id = ${ownerId} and latest.id > coalesce(c.last_read_message_id, 0)
    returning c.id`.execute(db);
  if (read.rows.length > 0) await publishChatNews(db, { id: chatId, ownerId }, "read");
}

/**
 * 0: no longer pinned. Else the place among the owner's pinned chats, from 1; one that is not pinned
 * yet goes to the end, and counts as touched (spec agents 4.3). Pins stay numbered from 1 without gaps.
 */
export async function pinChat(
  db: Sql,
  chat: { readonly id: string; readonly ownerId: string },
  { place, now }: { readonly place: number; readonly now: Date },
): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select id from chats where owner_id = ${chat.ownerId} and pin_order > 0
    order by pin_order, id for update`.execute(db);
  const before = rows.map(({ id }) => id);
  const others = before.filter((id) => id !== chat.id);
  const isPinned = before.length > others.length;
  const index = isPinned ? Math.min(place, before.length) - 1 : others.length;
  const after = place === 0 ? others : others.toSpliced(index, 0, chat.id);
  if (place === 0) {
    await db.updateTable("chats").set({ pin_order: 0 }).where("id", "=", chat.id).execute();
  }
  await sql`
    update chats c set pin_order = p.place
    from unnest(${after}::uuid[]) with ordinality p (id, place)
    where c.id = p.id and c.pin_order <> p.place`.execute(db);
  if (place === 0 || isPinned) return;
  await db.updateTable("chats").set({ updated_at: now }).where("id", "=", chat.id).execute();
}

/** To those who watch the owner's chats, when the transaction commits. */
export async function publishChatNews(
  db: Sql,
  chat: { readonly id: string; readonly ownerId: string },
  kind: ChatNewsKind,
): Promise<void> {
  const payload = JSON.stringify({ kind, chat_id: chat.id });
  await publish(db, chatWatchChannel(chat.ownerId), payload);
}
