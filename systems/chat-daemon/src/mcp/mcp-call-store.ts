/** Which calls of tool servers were begun. */
import type { Sql } from "@atelier/database/database";
import { sql as text } from "kysely";

/** Durable when it returns. False: it was begun before, by this server or another. */
export async function beginCall(
  sql: Sql,
  call: { readonly chatId: string; readonly callId: string; readonly now: Date },
): Promise<boolean> {
  const { rows } = await text`
    insert into mcp_calls (chat_id, call_id, started_at)
    values (${call.chatId}, ${call.callId}, ${call.now})
    on conflict do nothing returning call_id`.execute(sql);
  return rows.length === 1;
}
