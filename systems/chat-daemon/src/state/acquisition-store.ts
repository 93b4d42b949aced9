/**
 * Taking a chat: one statement, so that of several servers one takes it. A lease that ended is compared
 * by its runner's id: whoever took the chat meanwhile has another.
 */
import type { Database } from "@atelier/database/database";
import type { ChatRow } from "./chat-row.ts";
import { CHAT_COLUMNS_TEXT, toChatRow, type ChatDatabaseRow } from "./chat-store.ts";
import { HAS_NO_LEASE_TEXT, notifyUpdateText, WANTS_WORKER_TEXT } from "./statement-text-store.ts";

/** Undefined: it wants no worker, or one that lives has it. */
export async function findAcquirable(
  pool: Database["pool"],
  chatId: string,
): Promise<{ readonly runnerId: string | null } | undefined> {
  const { rows } = await pool.query<{ readonly runner_id: string | null }>({
    name: "chat-acquirable",
    text: `
      select chats.runner_id from chats
      where chats.id = $1 and ${WANTS_WORKER_TEXT} and ${HAS_NO_LEASE_TEXT}`,
    values: [chatId],
  });
  return rows.map((row) => ({ runnerId: row.runner_id }))[0];
}

/** Null: another was quicker, is just changing it, or it wants none any more. */
export async function acquireChat(
  pool: Database["pool"],
  {
    chatId,
    seenRunnerId,
    owner,
  }: {
    readonly chatId: string;
    /** Whose lease was found ended. */
    readonly seenRunnerId: string | null;
    readonly owner: { readonly workerId: string; readonly runnerId: string };
  },
): Promise<ChatRow | null> {
  const { rows } = await pool.query<ChatDatabaseRow>({
    name: "chat-acquire",
    text: ACQUIRE,
    values: [chatId, owner.workerId, owner.runnerId, seenRunnerId],
  });
  return rows.map(toChatRow)[0] ?? null;
}

const ACQUIRE = `
  with acquired as (
    update chats set
      worker_id = $2, runner_id = $3, fence = fence + 1, snapshot_version = snapshot_version + 1
    where id = (
      select chats.id from chats
      where chats.id = $1 and chats.runner_id is not distinct from $4 and ${WANTS_WORKER_TEXT}
      for update skip locked)
    returning ${CHAT_COLUMNS_TEXT}
  ), beaten as (
    insert into chat_heartbeats (chat_id, runner_id, heartbeat_at)
    select id, runner_id, clock_timestamp() from acquired
  )
  select acquired.*, ${notifyUpdateText("acquired")} as notified from acquired`;
