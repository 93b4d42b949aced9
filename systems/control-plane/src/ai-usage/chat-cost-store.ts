/** Reads what chats cost, from sums that are kept with every request. */
import type { Sql } from "@atelier/database/database";
import { sql as text } from "kysely";
import { CHATS_CLIENT } from "./usage-record.ts";
import type { CostSums } from "./usage.ts";

export async function sumChats(
  sql: Sql,
  ownerId: string,
  chatIds: readonly string[],
): Promise<readonly (CostSums & { readonly requests: number; readonly sessionId: string })[]> {
  if (chatIds.length === 0) return [];
  const { rows } = await text<CostSums & { requests: number; sessionId: string }>`
    select session_id as "sessionId", requests, cost_micros as "costMicros",
      priced_requests as "pricedRequests", unpriced_requests as "unpricedRequests"
    from ai_chat_totals
    where initiator_id = ${ownerId} and session_id = any(${chatIds}::text[])`.execute(sql);
  return rows;
}

export async function sumPersonsChats(
  sql: Sql,
  userId: string,
  since: Date,
): Promise<CostSums & { readonly requests: number }> {
  const { rows } = await text<CostSums & { requests: number }>`
    select coalesce(sum(requests), 0)::bigint as requests,
      coalesce(sum(cost_micros), 0)::bigint as "costMicros",
      coalesce(sum(priced_requests), 0)::bigint as "pricedRequests",
      coalesce(sum(unpriced_requests), 0)::bigint as "unpricedRequests"
    from ai_usage_totals
    where initiator_id = ${userId} and quarter >= ${since} and client = ${CHATS_CLIENT}
  `.execute(sql);
  return rows[0] ?? { requests: 0, costMicros: 0, pricedRequests: 0, unpricedRequests: 0 };
}
