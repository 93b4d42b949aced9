/** Tells lists of chats that some of them moved on, of many people in one statement. */
import type { Sql } from "@atelier/database/database";
import type { ChatNewsKind } from "@atelier/contract/http/chat-sockets";
import { sql } from "kysely";
import { chatWatchChannel } from "../state/chat-machine.ts";

/** As many ids as fit into a notification of 8000 bytes. */
const IDS_MAX = 150;

const ACTION_CHANGE: ChatNewsKind = "action_change";

export async function publishMoves(
  db: Sql,
  /** By owner. */
  moved: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<void> {
  const channels: string[] = [];
  const payloads: string[] = [];
  for (const [ownerId, chatIds] of moved) {
    const ids = [...chatIds];
    for (let at = 0; at < ids.length; at += IDS_MAX) {
      channels.push(chatWatchChannel(ownerId));
      const some = ids.slice(at, at + IDS_MAX);
      payloads.push(JSON.stringify({ kind: ACTION_CHANGE, chat_ids: some }));
    }
  }
  await sql`
    select pg_notify(channel, payload)
    from unnest(${channels}::text[], ${payloads}::text[]) news (channel, payload)`.execute(db);
}
