/**
 * Tells everybody of a change when its transaction commits, in one statement: whoever watches or drives
 * the chat, all servers where it wants a worker and none that lives has it, and its owner's lists.
 */
import type { ChatNewsKind } from "@atelier/contract/http/chat-sockets";
import type { Sql } from "@atelier/database/database";
import { sql, type RawBuilder } from "kysely";
import {
  CHAT_OWNERSHIP_CHANNEL,
  chatUpdateChannel,
  chatWatchChannel,
  type ChatUpdate,
} from "./chat-machine.ts";
import type { ChatRow } from "./chat-row.ts";
import { isAtWork } from "./execution-state.ts";
import { LEASE_TEXT } from "./statement-text-store.ts";

export async function announceChange(
  db: Sql,
  chat: ChatRow,
  watchKinds: readonly ChatNewsKind[],
): Promise<void> {
  const notifications: RawBuilder<unknown>[] = [
    notify(chatUpdateChannel(chat.id), toChatUpdate(chat)),
    ...watchKinds.map((kind) => notify(chatWatchChannel(chat.ownerId), { kind, chat_id: chat.id })),
  ];
  if (wantsWorker(chat)) {
    const hint = notify(CHAT_OWNERSHIP_CHANNEL, {
      chat_id: chat.id,
      snapshot_version: chat.snapshotVersion,
    });
    notifications.push(sql`
      case when not exists (
        select 1 from chat_heartbeats
        where chat_id = ${chat.id} and runner_id = ${chat.runnerId}
          and heartbeat_at >= clock_timestamp() - ${sql.raw(LEASE_TEXT)}
      ) then ${hint} end`);
  }
  await sql`select ${sql.join(notifications)}`.execute(db);
}

export function toChatUpdate(chat: ChatRow): ChatUpdate {
  return {
    chat_id: chat.id,
    snapshot_version: chat.snapshotVersion,
    worker_id: chat.workerId,
    runner_id: chat.runnerId,
    history_version: chat.historyVersion,
    queue_version: chat.queueVersion,
    retry_state_version: chat.retryStateVersion,
    generation_attempt: chat.generationAttempt,
    status: chat.status,
    archived: chat.archived,
  };
}

export function wantsWorker(chat: Pick<ChatRow, "status" | "archived">): boolean {
  return !chat.archived && isAtWork(chat.status);
}

function notify(channel: string, payload: object): RawBuilder<unknown> {
  return sql`pg_notify(${channel}, ${JSON.stringify(payload)})`;
}
