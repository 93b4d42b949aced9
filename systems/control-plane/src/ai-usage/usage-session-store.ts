/**
 * Reads sessions, which are kept ready, and what of them is under way. Every statement is narrowed
 * by whose usage the reader may see.
 */
import type { Sql } from "@atelier/database/database";
import { sql as text, type RawBuilder } from "kysely";
import type { UsageFilter } from "./usage-query.ts";
import type { UsageSession, UsageView } from "./usage.ts";

/** Where a session stands in the list: latest activity first. */
export type SessionPosition = {
  readonly lastActiveAt: Date;
  readonly sessionId: string;
  readonly initiatorId: string;
};

export type SessionSearch = {
  readonly view: UsageView;
  readonly filter: UsageFilter;
  /** What the filter's initiator stands for. Null: everybody. */
  readonly initiatorId: string | null;
};

export type SessionPage = {
  readonly limit: number;
  readonly after: SessionPosition | null;
  readonly offset: number;
};

export async function listSessions(
  sql: Sql,
  search: SessionSearch,
  { limit, after, offset }: SessionPage,
): Promise<readonly UsageSession[]> {
  const conditions = conditionsOf(search);
  if (after !== null) conditions.push(isAfter(after));
  // The page is found in the index alone; only its own rows are then read.
  const { rows } = await text<Row>`
    with page as materialized (
      select s.initiator_id, s.session_id
      from ai_sessions s
      where ${text.join(conditions, text` and `)}
      order by s.last_active_at desc, s.session_id, s.initiator_id
      limit ${limit} offset ${offset}
    )
    ${SELECT_SESSION}
    from page p
    join ai_sessions s on s.initiator_id = p.initiator_id and s.session_id = p.session_id
    ${JOIN_SESSION}
    order by s.last_active_at desc, s.session_id, s.initiator_id`.execute(sql);
  return rows.map(fromRow);
}

/** At most `countMax`: beyond it the exact number is not worth its time. */
export async function countSessions(
  sql: Sql,
  search: SessionSearch,
  countMax: number,
): Promise<number> {
  const { rows } = await text<{ count: number }>`
    select count(*) as count
    from (
      select from ai_sessions s
      where ${text.join(conditionsOf(search), text` and `)}
      limit ${countMax}
    ) as counted`.execute(sql);
  return rows[0]?.count ?? 0;
}

/** The sessions of this id that the reader may see, the reader's own first, then the latest. */
export async function findSessions(
  sql: Sql,
  {
    view,
    sessionId,
    initiatorId,
    readerId,
  }: {
    readonly view: UsageView;
    readonly sessionId: string;
    readonly initiatorId: string | null;
    readonly readerId: string;
  },
): Promise<readonly UsageSession[]> {
  const { rows } = await text<Row>`
    ${SELECT_SESSION}
    from ai_sessions s
    ${JOIN_SESSION}
    where s.session_id = ${sessionId} and ${ofView(view)}
      and (${initiatorId}::uuid is null or s.initiator_id = ${initiatorId}::uuid)
    order by s.initiator_id = ${readerId}::uuid desc, s.last_active_at desc, s.initiator_id
    limit 2`.execute(sql);
  return rows.map(fromRow);
}

/** Values to filter by that begin with `prefix`, sorted. */
export async function listFilterValues(
  sql: Sql,
  {
    view,
    kind,
    prefix,
    limit,
  }: {
    readonly view: UsageView;
    readonly kind: "model" | "client" | "provider";
    readonly prefix: string;
    readonly limit: number;
  },
): Promise<readonly string[]> {
  const owner = view.kind === "own" ? text`initiator_id = ${view.userId}` : text`true`;
  const { rows } = await text<{ value: string }>`
    select distinct value
    from ai_filter_values
    where kind = ${kind} and ${owner} and starts_with(value, ${prefix})
    order by value
    limit ${limit}`.execute(sql);
  return rows.map((row) => row.value);
}

/** The person meant by an id or a username, deleted ones included: their records are still there. */
export async function findInitiatorId(sql: Sql, ref: string): Promise<string | null> {
  const isUuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(ref);
  const { rows } = await text<{ id: string }>`
    select id from users
    where id = ${isUuid ? ref : null}::uuid or lower(username) = lower(${ref})
    order by deleted_at is not null, deleted_at desc
    limit 1`.execute(sql);
  return rows[0]?.id ?? null;
}

function conditionsOf({ view, filter, initiatorId }: SessionSearch): RawBuilder<unknown>[] {
  const conditions = [ofView(view)];
  const add = <Value>(value: Value | null, condition: (value: Value) => RawBuilder<unknown>) => {
    if (value !== null) conditions.push(condition(value));
  };
  add(initiatorId, (id) => text`s.initiator_id = ${id}`);
  add(filter.provider, (provider) => text`s.providers @> array[${provider}]`);
  add(filter.providerName, (name) => text`s.provider_names @> array[${name}]`);
  add(filter.model, (model) => text`s.models @> array[${model}]`);
  add(filter.client, (client) => text`s.client = ${client}`);
  add(filter.sessionId, (id) => text`s.session_id = ${id}`);
  add(filter.startedAfter, (time) => text`s.started_at > ${time}`);
  add(filter.startedBefore, (time) => text`s.started_at < ${time}`);
  return conditions;
}

function ofView(view: UsageView): RawBuilder<unknown> {
  return view.kind === "own" ? text`s.initiator_id = ${view.userId}` : text`true`;
}

/** The first comparison alone bounds the index scan; the rest only sorts out what shares its time. */
function isAfter({ lastActiveAt, sessionId, initiatorId }: SessionPosition): RawBuilder<unknown> {
  return text`(
    s.last_active_at <= ${lastActiveAt} and (
      s.last_active_at < ${lastActiveAt}
      or (s.session_id, s.initiator_id) > (${sessionId}, ${initiatorId}::uuid)
    )
  )`;
}

const SELECT_SESSION = text`
  select s.session_id, s.initiator_id, coalesce(u.username, '') as username,
    coalesce(u.name, '') as name, s.providers, s.provider_names, s.models, s.client, s.metadata,
    s.started_at, s.ended_at, s.last_active_at, s.threads + live.threads as threads,
    s.interceptions + live.interceptions as interceptions, live.interceptions > 0 as is_live,
    s.errors, s.input_tokens, s.output_tokens, s.cache_read_input_tokens,
    s.cache_write_input_tokens, s.cost_micros, s.priced_interceptions, s.unpriced_interceptions,
    s.last_prompt`;

/** A session's own counts are of what has ended. */
const JOIN_SESSION = text`
  left join users u on u.id = s.initiator_id
  cross join lateral (
    select count(*) as interceptions,
      count(*) filter (where i.thread_parent_id is null) as threads
    from ai_interceptions i
    where i.initiator_id = s.initiator_id and i.session_id = s.session_id and i.ended_at is null
  ) as live`;

type Row = {
  readonly session_id: string;
  readonly initiator_id: string;
  readonly username: string;
  readonly name: string;
  readonly providers: string[];
  readonly provider_names: string[];
  readonly models: string[];
  readonly client: string;
  readonly metadata: Record<string, unknown>;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly last_active_at: Date;
  readonly threads: number;
  readonly interceptions: number;
  readonly is_live: boolean;
  readonly errors: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_write_input_tokens: number;
  readonly cost_micros: number;
  readonly priced_interceptions: number;
  readonly unpriced_interceptions: number;
  readonly last_prompt: string | null;
};

function fromRow(row: Row): UsageSession {
  return {
    id: row.session_id,
    initiator: { id: row.initiator_id, username: row.username, name: row.name },
    providers: row.providers,
    providerNames: row.provider_names,
    models: row.models,
    client: row.client,
    metadata: row.metadata,
    startedAt: row.started_at,
    endedAt: row.is_live ? null : row.ended_at,
    lastActiveAt: row.last_active_at,
    threads: row.threads,
    interceptions: row.interceptions,
    errors: row.errors,
    tokens: {
      input: row.input_tokens,
      output: row.output_tokens,
      cacheReadInput: row.cache_read_input_tokens,
      cacheWriteInput: row.cache_write_input_tokens,
    },
    cost: {
      costMicros: row.cost_micros,
      pricedRequests: row.priced_interceptions,
      unpricedRequests: row.unpriced_interceptions,
    },
    lastPrompt: row.last_prompt,
  };
}
