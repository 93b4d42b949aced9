/**
 * Writes what went through the gateway: the hot path's statements. They are named, so that Postgres
 * plans each once per connection, and each carries a whole batch as one JSON text.
 *
 * All of them may be repeated after an outcome that is unknown: interceptions have ids made by us, and
 * what belongs to one, counts included, is added only by the statement that ends it.
 */
import type { Database } from "@atelier/database/database";
import { runTextStatement } from "@atelier/database/text-statement";
import {
  ORPHAN_MESSAGE,
  type EndText,
  type FilterValue,
  CHATS_CLIENT,
  MODELS_SEEN,
  type SeenModel,
  type SessionTouch,
  type StartRow,
  type ToolCaller,
  startRowsText,
} from "./usage-record.ts";
import { costOf, joinPrice, quarterOf } from "./usage-cost-store.ts";
import { LAST_PROMPT_CHARS_MAX } from "./usage-text.ts";

type Pool = Database["pool"];

export async function insertInterceptions(pool: Pool, rows: readonly StartRow[]): Promise<void> {
  await runTextStatement(pool, INSERT_INTERCEPTIONS, [startRowsText(rows)]);
}

const INSERT_INTERCEPTIONS = {
  name: "insert_interceptions",
  text: `
insert into ai_interceptions (
  id, started_at, initiator_id, api_key_id, provider, provider_name, model, client,
  client_session_id, session_id, thread_parent_id, thread_root_id, credential_kind,
  credential_hint, metadata, replica_id
)
select
  id, started_at, initiator_id, api_key_id, provider, provider_name, model, client,
  client_session_id, session_id, thread_parent_id, thread_root_id, credential_kind,
  credential_hint, metadata, replica_id
from json_to_recordset($1::json) as r (
  id uuid, started_at timestamptz, initiator_id uuid, api_key_id text, provider text,
  provider_name text, model text, client text, client_session_id text, session_id text,
  thread_parent_id uuid, thread_root_id uuid, credential_kind text, credential_hint text,
  metadata jsonb, replica_id uuid
)
on conflict (id, started_at) do nothing`,
};

export type ToolCallRef = { readonly initiatorId: string; readonly toolCallId: string };

/** For each call the latest interception of the same person that emitted it, or null. */
export async function findToolCallers(
  pool: Pool,
  calls: readonly ToolCallRef[],
): Promise<readonly (ToolCaller | null)[]> {
  const wanted = calls.map((call, position) => ({
    position,
    initiator_id: call.initiatorId,
    tool_call_id: call.toolCallId,
  }));
  const { rows } = await pool.query<ToolCaller & { readonly position: number }>({
    name: "find_tool_callers",
    text: FIND_TOOL_CALLERS,
    values: [JSON.stringify(wanted)],
  });
  const byPosition = new Map(
    rows.map(({ position, interceptionId, rootId, sessionId }) => [
      position,
      { interceptionId, rootId, sessionId },
    ]),
  );
  return calls.map((_, position) => byPosition.get(position) ?? null);
}

const FIND_TOOL_CALLERS = `
select r.position, caller.id as "interceptionId", caller.session_id as "sessionId",
  coalesce(caller.thread_root_id, caller.id) as "rootId"
from json_to_recordset($1::json) as r (position integer, initiator_id uuid, tool_call_id text)
cross join lateral (
  select i.id, i.session_id, i.thread_root_id
  from ai_tool_usages t
  join ai_interceptions i on i.id = t.interception_id and i.started_at = t.started_at
  where t.initiator_id = r.initiator_id and t.provider_tool_call_id = r.tool_call_id
  order by t.created_at desc
  limit 1
) as caller`;

/** What makes a session appear in lists. Counts are added when interceptions end. */
export async function touchSessions(pool: Pool, touches: readonly SessionTouch[]): Promise<void> {
  await runTextStatement(pool, TOUCH_SESSIONS, [JSON.stringify(touches)]);
}

/** Sorted union, without writing a new array where nothing is new. */
const unionOf = (column: string): string => `
  case when ai_sessions.${column} @> excluded.${column} then ai_sessions.${column}
  else array(
    select distinct each from unnest(ai_sessions.${column} || excluded.${column}) as each order by each
  ) end`;

const MERGE_SESSION = `
  providers = ${unionOf("providers")},
  provider_names = ${unionOf("provider_names")},
  models = ${unionOf("models")},
  started_at = least(ai_sessions.started_at, excluded.started_at),
  last_active_at = greatest(ai_sessions.last_active_at, excluded.last_active_at)`;

const TOUCH_SESSIONS = {
  name: "touch_sessions",
  text: `
insert into ai_sessions (
  initiator_id, session_id, client, providers, provider_names, models, metadata, started_at,
  last_active_at
)
select initiator_id, session_id, client, providers, provider_names, models, metadata, started_at,
  last_active_at
from json_to_recordset($1::json) as r (
  initiator_id uuid, session_id text, client text, providers text[], provider_names text[],
  models text[], metadata jsonb, started_at timestamptz, last_active_at timestamptz
)
order by initiator_id, session_id
on conflict (initiator_id, session_id) do update set ${MERGE_SESSION}`,
};

export async function insertFilterValues(
  pool: Pool,
  values: readonly FilterValue[],
): Promise<void> {
  await pool.query({
    name: "insert_filter_values",
    text: INSERT_FILTER_VALUES,
    values: [JSON.stringify(values)],
  });
}

/** Models that nobody asked before; whoever knows prices is told of them. */
export async function insertSeenModels(pool: Pool, models: readonly SeenModel[]): Promise<void> {
  await pool.query({
    name: "insert_seen_models",
    text: INSERT_SEEN_MODELS,
    values: [JSON.stringify(models), MODELS_SEEN],
  });
}

const INSERT_SEEN_MODELS = `
with fresh as (
  insert into ai_seen_models (provider, model, seen_at)
  select provider, model, min(seen_at)
  from json_to_recordset($1::json) as r (provider text, model text, seen_at timestamptz)
  group by provider, model
  order by provider, model
  on conflict do nothing
  returning 1
)
select pg_notify($2, '') from (select from fresh limit 1) as any_fresh`;

const INSERT_FILTER_VALUES = `
insert into ai_filter_values (initiator_id, kind, value)
select distinct initiator_id, kind, value
from json_to_recordset($1::json) as r (initiator_id uuid, kind text, value text)
order by initiator_id, kind, value
on conflict do nothing`;

/**
 * Ends interceptions, adds their records, and adds both to their sessions: in one statement, so all
 * of it or nothing. Answers with the ids that it ended. The others have ended before, are unknown,
 * or were being ended by somebody else while it ran.
 */
export async function endInterceptions(
  pool: Pool,
  batch: readonly EndText[],
): Promise<readonly string[]> {
  const [first] = batch;
  if (first === undefined) return [];
  let [from, to] = [first.startedAt, first.startedAt];
  for (const { startedAt } of batch) {
    if (startedAt < from) from = startedAt;
    if (startedAt > to) to = startedAt;
  }
  const json = `[${batch.map((each) => each.json).join(",")}]`;
  const rows = await runTextStatement(pool, END_INTERCEPTIONS, [json, ORPHAN_MESSAGE, from, to]);
  const ids = rows[0]?.[0] ?? null;
  return ids?.split(",") ?? [];
}

/** What the rest of the statement needs of an interception that it ends. */
const ENDED_COLUMNS = `
  i.id, i.started_at, i.initiator_id, i.session_id, i.thread_parent_id, i.client, i.provider,
  i.provider_name, i.model, i.metadata, i.credential_kind, e.ended_at, e.tokens, e.prompts, e.tools, e.thoughts,
  left(e.prompts -> e.last_prompt ->> 'prompt', ${LAST_PROMPT_CHARS_MAX}) as last_prompt`;

/** The order of records of one moment, kept in the microseconds that our own clock does not use. */
const inOrder = (time: string): string => `${time} + least(r.position - 1, 999) * interval '1 us'`;

const SET_END = `
  ended_at = e.ended_at, error_type = e.error_type, error_message = e.error_message,
  key_reason = e.key_reason, trail = e.trail,
  credential_hint = case
    when i.credential_kind = 'centralized' and e.credential_hint <> '' then e.credential_hint
    else i.credential_hint end`;

const CHAT_TOTALS = ["requests", "cost_micros", "priced_requests", "unpriced_requests"] as const;
const TOTALS = [
  ...CHAT_TOTALS,
  "errors",
  "input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_write_input_tokens",
] as const;

const addUp = (table: string, columns: readonly string[]): string =>
  columns.map((column) => `${column} = ${table}.${column} + excluded.${column}`).join(", ");

// $3 and $4 let Postgres leave out the other months' partitions before it begins.
// `corrected`: the server was taken for dead, lived, and reports the true end.
const END_INTERCEPTIONS = {
  name: "end_interceptions",
  text: `
with ends as materialized (
  select * from json_to_recordset($1::json) as e (
    id uuid, started_at timestamptz, ended_at timestamptz, credential_hint text,
    error_type text, error_message text, last_prompt integer, tokens json, prompts json, tools json,
    thoughts json, key_reason text, trail jsonb
  )
), ended as (
  update ai_interceptions i set ${SET_END}
  from ends e
  where i.id = e.id and i.started_at = e.started_at and i.started_at between $3 and $4
    and i.ended_at is null
  returning ${ENDED_COLUMNS}, 1 as interceptions, (i.thread_parent_id is null)::integer as threads,
    (e.error_type is not null)::integer as errors
), corrected as (
  update ai_interceptions i set ${SET_END}
  from ends e
  where i.id = e.id and i.started_at = e.started_at and i.started_at between $3 and $4
    and i.ended_at is not null and i.error_type = 'unknown' and i.error_message = $2
    and e.error_message is distinct from $2
  returning ${ENDED_COLUMNS}, 0 as interceptions, 0 as threads,
    (e.error_type is not null)::integer - 1 as errors
), known as materialized (
  select * from ended union all select * from corrected
), tokens as (
  insert into ai_token_usages (
    id, started_at, interception_id, provider_response_id, input_tokens, output_tokens,
    cache_read_input_tokens, cache_write_input_tokens, metadata, created_at, price_id, cost_micros
  )
  select gen_random_uuid(), k.started_at, k.id, r.provider_response_id, r.input_tokens,
    r.output_tokens, r.cache_read_input_tokens, r.cache_write_input_tokens, r.metadata,
    ${inOrder("k.ended_at")}, price.id, ${costOf("r")}
  from known k cross join rows from (json_to_recordset(k.tokens) as (
    provider_response_id text, input_tokens bigint, output_tokens bigint,
    cache_read_input_tokens bigint, cache_write_input_tokens bigint, metadata jsonb
  )) with ordinality as r (
    provider_response_id, input_tokens, output_tokens, cache_read_input_tokens,
    cache_write_input_tokens, metadata, position
  )
  ${joinPrice("r", "k", "k.started_at")}
  returning interception_id, input_tokens, output_tokens, cache_read_input_tokens,
    cache_write_input_tokens, cost_micros
), prompts as (
  insert into ai_user_prompts (
    id, started_at, interception_id, provider_response_id, prompt, created_at
  )
  -- They were there when the request began.
  select gen_random_uuid(), k.started_at, k.id, r.provider_response_id, r.prompt,
    ${inOrder("k.started_at")}
  from known k cross join rows from (
    json_to_recordset(k.prompts) as (provider_response_id text, prompt text)
  ) with ordinality as r (provider_response_id, prompt, position)
), tools as (
  insert into ai_tool_usages (
    id, started_at, interception_id, initiator_id, provider_response_id, provider_tool_call_id,
    tool, input, created_at
  )
  select gen_random_uuid(), k.started_at, k.id, k.initiator_id, r.provider_response_id,
    r.provider_tool_call_id, r.tool, r.input, ${inOrder("k.ended_at")}
  from known k cross join rows from (json_to_recordset(k.tools) as (
    provider_response_id text, provider_tool_call_id text, tool text, input text
  )) with ordinality as r (provider_response_id, provider_tool_call_id, tool, input, position)
), thoughts as (
  insert into ai_model_thoughts (id, started_at, interception_id, content, source, created_at)
  select gen_random_uuid(), k.started_at, k.id, r.content, r.source, ${inOrder("k.ended_at")}
  from known k cross join rows from (
    json_to_recordset(k.thoughts) as (content text, source text)
  ) with ordinality as r (content, source, position)
), summed as materialized (
  select interception_id, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
    sum(cache_read_input_tokens) as cache_read_input_tokens,
    sum(cache_write_input_tokens) as cache_write_input_tokens,
    coalesce(sum(cost_micros), 0) as cost_micros,
    bool_and(cost_micros is not null)::integer as priced,
    bool_or(cost_micros is null)::integer as unpriced
  from tokens
  group by interception_id
), sessions as (
  insert into ai_sessions (
    initiator_id, session_id, client, providers, provider_names, models, metadata, started_at,
    ended_at, last_active_at, threads, interceptions, errors, input_tokens, output_tokens,
    cache_read_input_tokens, cache_write_input_tokens, cost_micros, priced_interceptions,
    unpriced_interceptions, last_prompt, last_prompt_at
  )
  select k.initiator_id, k.session_id, (array_agg(k.client order by k.started_at))[1],
    array_agg(distinct k.provider), array_agg(distinct k.provider_name),
    array_agg(distinct k.model), (array_agg(k.metadata order by k.started_at))[1],
    min(k.started_at), max(k.ended_at), max(k.started_at), sum(k.threads), sum(k.interceptions),
    sum(k.errors), coalesce(sum(s.input_tokens), 0), coalesce(sum(s.output_tokens), 0),
    coalesce(sum(s.cache_read_input_tokens), 0), coalesce(sum(s.cache_write_input_tokens), 0),
    coalesce(sum(s.cost_micros), 0), coalesce(sum(s.priced), 0), coalesce(sum(s.unpriced), 0),
    (array_agg(k.last_prompt order by k.started_at desc) filter (where k.last_prompt is not null))[1],
    max(k.started_at) filter (where k.last_prompt is not null)
  from known k
  left join summed s on s.interception_id = k.id
  group by k.initiator_id, k.session_id
  order by k.initiator_id, k.session_id
  on conflict (initiator_id, session_id) do update set ${MERGE_SESSION},
    ended_at = greatest(ai_sessions.ended_at, excluded.ended_at),
    threads = ai_sessions.threads + excluded.threads,
    interceptions = ai_sessions.interceptions + excluded.interceptions,
    errors = ai_sessions.errors + excluded.errors,
    input_tokens = ai_sessions.input_tokens + excluded.input_tokens,
    output_tokens = ai_sessions.output_tokens + excluded.output_tokens,
    cache_read_input_tokens =
      ai_sessions.cache_read_input_tokens + excluded.cache_read_input_tokens,
    cache_write_input_tokens =
      ai_sessions.cache_write_input_tokens + excluded.cache_write_input_tokens,
    cost_micros = ai_sessions.cost_micros + excluded.cost_micros,
    priced_interceptions = ai_sessions.priced_interceptions + excluded.priced_interceptions,
    unpriced_interceptions = ai_sessions.unpriced_interceptions + excluded.unpriced_interceptions,
    last_prompt = case
      when excluded.last_prompt_at >= coalesce(ai_sessions.last_prompt_at, '-infinity')
      then excluded.last_prompt else ai_sessions.last_prompt end,
    last_prompt_at = greatest(ai_sessions.last_prompt_at, excluded.last_prompt_at)
), totals as (
  insert into ai_usage_totals (
    quarter, initiator_id, provider, provider_name, model, client, credential_kind, requests,
    errors, input_tokens, output_tokens, cache_read_input_tokens, cache_write_input_tokens,
    cost_micros, priced_requests, unpriced_requests
  )
  select ${quarterOf("k.started_at")}, k.initiator_id, k.provider, k.provider_name, k.model,
    k.client, k.credential_kind, sum(k.interceptions), sum(k.errors),
    coalesce(sum(s.input_tokens), 0), coalesce(sum(s.output_tokens), 0),
    coalesce(sum(s.cache_read_input_tokens), 0), coalesce(sum(s.cache_write_input_tokens), 0),
    coalesce(sum(s.cost_micros), 0), coalesce(sum(s.priced), 0), coalesce(sum(s.unpriced), 0)
  from known k
  left join summed s on s.interception_id = k.id
  group by 1, 2, 3, 4, 5, 6, 7
  order by 1, 2, 3, 4, 5, 6, 7
  on conflict (quarter, initiator_id, provider_name, model, client, provider, credential_kind)
  do update set ${addUp("ai_usage_totals", TOTALS)}
), chats as (
  insert into ai_chat_totals (
    initiator_id, session_id, requests, cost_micros, priced_requests, unpriced_requests,
    last_active_at
  )
  select k.initiator_id, k.session_id, sum(k.interceptions), coalesce(sum(s.cost_micros), 0),
    coalesce(sum(s.priced), 0), coalesce(sum(s.unpriced), 0), max(k.started_at)
  from known k
  left join summed s on s.interception_id = k.id
  -- A request of no chat is a session of its own.
  where k.client = '${CHATS_CLIENT}' and k.session_id <> k.id::text
  group by k.initiator_id, k.session_id
  order by k.initiator_id, k.session_id
  on conflict (session_id, initiator_id)
  do update set ${addUp("ai_chat_totals", CHAT_TOTALS)},
    last_active_at = greatest(ai_chat_totals.last_active_at, excluded.last_active_at)
)
-- One row is read quicker than many.
select string_agg(id::text, ',') from known`,
};

export type Orphan = { readonly id: string; readonly startedAt: Date; readonly endedAt: Date };

/** Interceptions that no server will end: theirs has shown no sign of life since `silentSince`. */
export async function listOrphans(
  pool: Pool,
  {
    silentSince,
    ownReplicaId,
    limit,
  }: { readonly silentSince: Date; readonly ownReplicaId: string; readonly limit: number },
): Promise<readonly Orphan[]> {
  // The server's last sign of life is the latest moment at which the request can have been alive.
  const { rows } = await pool.query<Orphan>(
    `select i.id, i.started_at as "startedAt",
      greatest(i.started_at, r.heartbeat_at) as "endedAt"
    from ai_interceptions i
    left join replicas r on r.id = i.replica_id
    where i.ended_at is null and i.replica_id <> $2 and i.started_at < $1
      and (r.id is null or r.heartbeat_at < $1)
    order by i.started_at, i.id
    limit $3`,
    [silentSince, ownReplicaId, limit],
  );
  return rows;
}

/** Throws when the database is away. */
export async function checkConnection(pool: Pool): Promise<void> {
  await pool.query("select 1");
}
