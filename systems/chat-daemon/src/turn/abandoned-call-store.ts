/** Calls of answers that an edit took out of a chat's history: they may still run in its workspace. */
import type { ToolCallPart } from "@atelier/contract/chat/message-part";
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import type { AbandonedCalls } from "./turn-deps.ts";

/** `sinceRevision`: of the history that is left. What was taken out before that was seen to then. */
export async function listAbandonedCalls(
  db: Sql,
  about: { readonly chatId: string; readonly sinceRevision: number },
): Promise<readonly AbandonedCalls[]> {
  const { rows } = await sql<{ messageId: number; content: readonly ToolCallPart[] }>`
    select id as "messageId", content from chat_messages
    where chat_id = ${about.chatId} and revision > ${about.sinceRevision} and deleted
      and role = 'assistant' and content @> '[{"type":"tool-call"}]'
    order by id`.execute(db);
  return rows.map(({ messageId, content }) => ({
    messageId,
    calls: content.filter(({ type }) => type === "tool-call"),
  }));
}
