/**
 * Counts recorded requests again, and brings the difference to every sum that they are in: one
 * statement, so that no sum is ever off by a part of it.
 */
import type { Sql } from "@atelier/database/database";
import { CompiledQuery, sql as text } from "kysely";
import { costOf, joinPrice, quarterOf } from "./usage-cost-store.ts";
import { CHATS_CLIENT } from "./usage-record.ts";

export type Repricing = {
  readonly from: Date;
  readonly to: Date;
  /** Null: all. */
  readonly provider: string | null;
  readonly model: string | null;
  /** Only requests of which a part has no price. */
  readonly isUnpricedOnly: boolean;
  /** The moment whose prices count. Null: for each request the one at which it began. */
  readonly pricesAt: Date | null;
};

/** Where a part ended. */
export type RepricingPosition = { readonly startedAt: Date; readonly id: string };

export type Repriced = {
  readonly examined: number;
  readonly changed: number;
  readonly costChangeMicros: number;
  readonly last: RepricingPosition | null;
};

/** The next part, in a transaction. One at a time: two would both add the same difference. */
export async function repriceRequests(
  sql: Sql,
  repricing: Repricing,
  page: { readonly after: RepricingPosition | null; readonly limit: number },
): Promise<Repriced> {
  const { from, to, provider, model, isUnpricedOnly, pricesAt } = repricing;
  const { after, limit } = page;
  // In a statement of its own: the next one sees what its predecessor did.
  await text`select pg_advisory_xact_lock(hashtext('ai_usage repricing'))`.execute(sql);
  const parameters = [
    ...[from, to, provider, model, isUnpricedOnly, pricesAt],
    ...[after?.startedAt ?? null, after?.id ?? null, limit],
  ];
  const { rows } = await sql.executeQuery<Row>(CompiledQuery.raw(REPRICE, parameters));
  const [row] = rows;
  if (row === undefined) return { examined: 0, changed: 0, costChangeMicros: 0, last: null };
  const { examined, changed, costChangeMicros, lastStartedAt: startedAt, lastId: id } = row;
  return { examined, changed, costChangeMicros, last: { startedAt, id } };
}

type Row = {
  readonly examined: number;
  readonly changed: number;
  readonly costChangeMicros: number;
  readonly lastStartedAt: Date;
  readonly lastId: string;
};

const addDifference = (table: string, names: { priced: string; unpriced: string }): string => `
  cost_micros = ${table}.cost_micros + d.cost_micros,
  ${names.priced} = ${table}.${names.priced} + d.priced,
  ${names.unpriced} = ${table}.${names.unpriced} + d.unpriced`;

const SUM_DIFFERENCE = `
  sum(cost_micros)::bigint as cost_micros, sum(priced) as priced, sum(unpriced) as unpriced`;

const REQUESTS = { priced: "priced_requests", unpriced: "unpriced_requests" };
const INTERCEPTIONS = { priced: "priced_interceptions", unpriced: "unpriced_interceptions" };

// Without a price that counts now, a request keeps what it had.
const REPRICE = `
with batch as materialized (
  select i.id, i.started_at, i.initiator_id, i.session_id, i.provider, i.provider_name, i.model,
    i.client, i.credential_kind, coalesce($6::timestamptz, i.started_at) as prices_at
  from ai_interceptions i
  where i.ended_at is not null and i.started_at >= $1 and i.started_at < $2
    and ($3::text is null or i.provider = $3) and ($4::text is null or i.model = $4)
    and ($7::timestamptz is null or (i.started_at, i.id) > ($7, $8::uuid))
    and exists (
      select from ai_token_usages t
      where t.interception_id = i.id and t.started_at = i.started_at
        and (not $5 or t.cost_micros is null)
    )
    and exists (
      select from ai_model_prices p
      where p.provider = i.provider and p.model = i.model
        and p.valid_from <= coalesce($6::timestamptz, i.started_at)
        and (p.valid_to is null or p.valid_to > coalesce($6::timestamptz, i.started_at))
    )
  order by i.started_at, i.id
  limit $9
), counted as materialized (
  select t.id, t.started_at, t.interception_id, t.cost_micros as old_cost, t.price_id as old_price,
    price.id as price_id, ${costOf("t")} as cost_micros
  from batch b
  join ai_token_usages t on t.interception_id = b.id and t.started_at = b.started_at
  ${joinPrice("t", "b", "b.prices_at")}
), fresh as materialized (
  select id, started_at, interception_id, old_cost,
    case when cost_micros is null then old_price else price_id end as price_id,
    coalesce(cost_micros, old_cost) as cost_micros
  from counted
), changed as (
  update ai_token_usages t set price_id = f.price_id, cost_micros = f.cost_micros
  from fresh f
  where t.id = f.id and t.started_at = f.started_at
    and (t.cost_micros, t.price_id) is distinct from (f.cost_micros, f.price_id)
  returning t.interception_id
), differences as materialized (
  select b.*, d.cost_micros, d.priced, d.unpriced
  from batch b
  join (
    select interception_id, coalesce(sum(cost_micros), 0) - coalesce(sum(old_cost), 0) as cost_micros,
      bool_and(cost_micros is not null)::integer - bool_and(old_cost is not null)::integer as priced,
      bool_or(cost_micros is null)::integer - bool_or(old_cost is null)::integer as unpriced
    from fresh
    group by interception_id
  ) as d on d.interception_id = b.id
  where d.cost_micros <> 0 or d.priced <> 0 or d.unpriced <> 0
), sessions as (
  update ai_sessions set ${addDifference("ai_sessions", INTERCEPTIONS)}
  from (
    select initiator_id, session_id, ${SUM_DIFFERENCE} from differences
    group by initiator_id, session_id
  ) as d
  where ai_sessions.initiator_id = d.initiator_id and ai_sessions.session_id = d.session_id
), totals as (
  update ai_usage_totals t set ${addDifference("t", REQUESTS)}
  from (
    select ${quarterOf("started_at")} as quarter, initiator_id, provider, provider_name, model,
      client, credential_kind, ${SUM_DIFFERENCE}
    from differences
    group by 1, 2, 3, 4, 5, 6, 7
  ) as d
  where t.quarter = d.quarter and t.initiator_id = d.initiator_id
    and t.provider_name = d.provider_name and t.model = d.model and t.client = d.client
    and t.provider = d.provider and t.credential_kind = d.credential_kind
), chats as (
  update ai_chat_totals t set ${addDifference("t", REQUESTS)}
  from (
    select initiator_id, session_id, ${SUM_DIFFERENCE} from differences
    where client = '${CHATS_CLIENT}'
    group by initiator_id, session_id
  ) as d
  where t.initiator_id = d.initiator_id and t.session_id = d.session_id
)
select (select count(*) from batch) as examined,
  (select count(distinct interception_id) from changed) as changed,
  coalesce((select sum(cost_micros) from differences), 0)::bigint as "costChangeMicros",
  last.started_at as "lastStartedAt", last.id as "lastId"
from (select started_at, id from batch order by started_at desc, id desc limit 1) as last`;
