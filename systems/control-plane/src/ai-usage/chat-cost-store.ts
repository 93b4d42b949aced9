/** Reads what chats cost: from sums that are kept with every request, and by chat in a span from requests. */
import type { CostSpan } from "@atelier/contract/rpc/chat-ports";
import type { Sql } from "@atelier/database/database";
import { isOneOf } from "@atelier/database/one-of";
import { sql as text } from "kysely";
import { CHATS_CLIENT } from "./usage-record.ts";
import type { CostSums, UsageUser } from "./usage.ts";

export type RequestSums = CostSums & { readonly requests: number };

export async function sumChats(
  sql: Sql,
  ownerId: string,
  chatIds: readonly string[],
): Promise<readonly (RequestSums & { readonly sessionId: string })[]> {
  if (chatIds.length === 0) return [];
  const { rows } = await text<RequestSums & { sessionId: string }>`
    /* by key */ select session_id as "sessionId", requests, cost_micros as "costMicros",
      priced_requests as "pricedRequests", unpriced_requests as "unpricedRequests"
    from ai_chat_totals
    where initiator_id = ${ownerId} and ${isOneOf(text`session_id`, chatIds, "text")}`.execute(sql);
  return rows;
}

const SUMS = text`
  coalesce(sum(requests), 0)::bigint as requests,
  coalesce(sum(cost_micros), 0)::bigint as "costMicros",
  coalesce(sum(priced_requests), 0)::bigint as "pricedRequests",
  coalesce(sum(unpriced_requests), 0)::bigint as "unpricedRequests"`;

const NOTHING: RequestSums = { requests: 0, costMicros: 0, pricedRequests: 0, unpricedRequests: 0 };

/** Without `to`: until now. */
export async function sumPersonsChats(
  sql: Sql,
  userId: string,
  { from, to }: { readonly from: Date; readonly to?: Date },
): Promise<RequestSums> {
  const { rows } = await text<RequestSums>`
    select ${SUMS}
    from ai_usage_totals
    where initiator_id = ${userId} and client = ${CHATS_CLIENT} and quarter >= ${from}
      ${to === undefined ? text`` : text`and quarter < ${to}`}`.execute(sql);
  return rows[0] ?? NOTHING;
}

type SummedSpan = CostSpan & { readonly rowsMax: number };

export async function sumPersonsChatsByModel(
  sql: Sql,
  userId: string,
  { from, to, rowsMax }: SummedSpan,
): Promise<readonly (RequestSums & { readonly model: string; readonly provider: string })[]> {
  const { rows } = await text<RequestSums & { model: string; provider: string }>`
    select model, provider_name as provider, ${SUMS}
    from ai_usage_totals
    where initiator_id = ${userId} and client = ${CHATS_CLIENT}
      and quarter >= ${from} and quarter < ${to}
    group by model, provider_name
    order by "costMicros" desc, requests desc, model, provider_name
    limit ${rowsMax}`.execute(sql);
  return rows;
}

/** The requests of a chat in a span stand in no sum, so they are added up: as far as they are kept. */
export async function sumPersonsChatsByChat(
  sql: Sql,
  userId: string,
  { from, to, rowsMax }: SummedSpan,
): Promise<readonly (RequestSums & { readonly sessionId: string })[]> {
  const { rows } = await text<RequestSums & { sessionId: string }>`
    with requests as (
      select i.session_id, 1 as requests, sum(t.cost_micros) as cost_micros,
        coalesce(bool_and(t.cost_micros is not null), false)::int as priced_requests,
        coalesce(bool_or(t.id is not null and t.cost_micros is null), false)::int
          as unpriced_requests
      from ai_interceptions i
      left join ai_token_usages t on t.interception_id = i.id and t.started_at = i.started_at
      where i.initiator_id = ${userId} and i.client = ${CHATS_CLIENT} and i.ended_at is not null
        and i.started_at >= ${from} and i.started_at < ${to}
        -- A request of no chat is a session of its own.
        and i.session_id <> i.id::text
      group by i.session_id, i.id
    )
    select session_id as "sessionId", ${SUMS}
    from requests
    group by session_id
    order by "costMicros" desc, requests desc, session_id
    limit ${rowsMax}`.execute(sql);
  return rows;
}

/** With the names of people who are gone, as their records have them. */
export async function listPeoplesChats(
  sql: Sql,
  { from, to }: CostSpan,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Promise<{
  readonly people: readonly (RequestSums & { readonly person: UsageUser })[];
  readonly count: number;
}> {
  type Row = RequestSums & UsageUser & { readonly count: number };
  const { rows } = await text<Row>`
    with summed as materialized (
      select initiator_id, ${SUMS}
      from ai_usage_totals
      where client = ${CHATS_CLIENT} and quarter >= ${from} and quarter < ${to}
      group by initiator_id
    ), counted as (
      select count(*) as count from summed
    ), page as (
      select * from summed
      order by "costMicros" desc, requests desc, initiator_id
      limit ${limit} offset ${offset}
    )
    select counted.count, p.initiator_id as id, coalesce(u.username, '') as username,
      coalesce(u.name, '') as name, p.requests, p."costMicros", p."pricedRequests",
      p."unpricedRequests"
    from counted
    left join page p on true
    left join users u on u.id = p.initiator_id
    order by p."costMicros" desc, p.requests desc, p.initiator_id`.execute(sql);
  const people = rows.flatMap(({ count: _count, id, username, name, ...sums }) =>
    // Without a page the count stands alone.
    id === null ? [] : [{ person: { id, username, name }, ...sums }],
  );
  return { people, count: rows[0]?.count ?? 0 };
}
