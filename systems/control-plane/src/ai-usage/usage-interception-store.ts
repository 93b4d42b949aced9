/** Reads interceptions with what they produced, in lists and in a session's threads. */
import type { Sql } from "@atelier/database/database";
import { sql as text, type RawBuilder } from "kysely";
import type { UsageFilter } from "./usage-query.ts";
import { fromTrailColumns } from "./usage-trail.ts";
import type {
  CostSums,
  RecordedInterception,
  TokenSums,
  UsageInterception,
  UsagePrompt,
  UsageThought,
  UsageTokens,
  UsageToolCall,
  UsageView,
} from "./usage.ts";

export type InterceptionSearch = {
  readonly view: UsageView;
  readonly filter: UsageFilter;
  /** What the filter's initiator stands for. Null: everybody. */
  readonly initiatorId: string | null;
};

/** Where an interception stands in the list: latest start first. */
export type InterceptionPosition = { readonly startedAt: Date; readonly id: string };

/** Ended interceptions. */
export async function listInterceptions(
  sql: Sql,
  search: InterceptionSearch,
  page: { readonly limit: number; readonly after: InterceptionPosition | null },
): Promise<readonly RecordedInterception[]> {
  const conditions = conditionsOf(search);
  const { after } = page;
  if (after !== null) {
    conditions.push(text`(i.started_at, i.id) < (${after.startedAt}, ${after.id}::uuid)`);
  }
  const { rows } = await text<Row>`
    ${SELECT_INTERCEPTION}
    where ${text.join(conditions, text` and `)}
    order by i.started_at desc, i.id desc
    limit ${page.limit}`.execute(sql);
  return withRecords(sql, rows.map(fromRow));
}

export async function countInterceptions(
  sql: Sql,
  search: InterceptionSearch,
  countMax: number,
): Promise<number> {
  const { rows } = await text<{ count: number }>`
    select count(*) as count
    from (
      select from ai_interceptions i
      where ${text.join(conditionsOf(search), text` and `)}
      limit ${countMax}
    ) as counted`.execute(sql);
  return rows[0]?.count ?? 0;
}

/** Null: there is none, or it is not for the reader. */
export async function findInterceptionPosition(
  sql: Sql,
  view: UsageView,
  id: string,
): Promise<InterceptionPosition | null> {
  const { rows } = await text<InterceptionPosition>`
    select i.id, i.started_at as "startedAt"
    from ai_interceptions i
    where i.id = ${id} and ${ofView(view)}`.execute(sql);
  return rows[0] ?? null;
}

export type SessionKey = { readonly initiatorId: string; readonly sessionId: string };

export type ThreadHead = {
  readonly id: string;
  readonly startedAt: Date;
  readonly tokens: TokenSums;
  readonly cost: CostSums;
};

export type ThreadPage = {
  readonly limit: number;
  readonly side: "after" | "before";
  /** The thread beside which the page lies. Null: the page begins with the latest. */
  readonly cursor: ThreadHead | null;
};

/** Threads of a session, latest first. `before` gives the later neighbours of the cursor. */
export async function listThreads(
  sql: Sql,
  key: SessionKey,
  { limit, side, cursor }: ThreadPage,
): Promise<readonly ThreadHead[]> {
  const direction = side === "after" ? text`desc` : text`asc`;
  const position = cursor && text`(${cursor.startedAt}::timestamptz, ${cursor.id}::uuid)`;
  const isBeside =
    position === null
      ? text`true`
      : side === "after"
        ? text`(started_at, id) < ${position}`
        : text`(started_at, id) > ${position}`;
  const { rows } = await text<ThreadRow>`
    with page as materialized (
      select * from (${threadsOf(key)}) as threads
      where ${isBeside}
      order by started_at ${direction}, id ${direction}
      limit ${limit}
    )
    select page.id, page.started_at, sums.*
    from page
    cross join lateral (
      select coalesce(sum(t.input_tokens), 0)::bigint as input,
        coalesce(sum(t.output_tokens), 0)::bigint as output,
        coalesce(sum(t.cache_read_input_tokens), 0)::bigint as "cacheReadInput",
        coalesce(sum(t.cache_write_input_tokens), 0)::bigint as "cacheWriteInput",
        coalesce(sum(t.cost_micros), 0)::bigint as "costMicros",
        count(distinct i.id) - count(distinct i.id) filter (where t.cost_micros is null)
          as "pricedRequests",
        count(distinct i.id) filter (where t.cost_micros is null) as "unpricedRequests"
      from ai_interceptions i
      join ai_token_usages t on t.interception_id = i.id and t.started_at = i.started_at
      where i.initiator_id = ${key.initiatorId} and i.session_id = ${key.sessionId}
        and coalesce(i.thread_root_id, i.id) = page.id
    ) as sums
    order by page.started_at desc, page.id desc`.execute(sql);
  return rows.map(fromThreadRow);
}

export async function countThreads(sql: Sql, key: SessionKey): Promise<number> {
  const { rows } = await text<{ count: number }>`
    select count(*) as count from (${threadsOf(key)}) as threads`.execute(sql);
  return rows[0]?.count ?? 0;
}

/** Null when the session has no such thread. */
export async function findThread(
  sql: Sql,
  key: SessionKey,
  id: string,
): Promise<ThreadHead | null> {
  const { rows } = await text<{ id: string; started_at: Date }>`
    select id, started_at from (${threadsOf(key)}) as threads where id = ${id}`.execute(sql);
  const [row] = rows;
  if (row === undefined) return null;
  const tokens = { input: 0, output: 0, cacheReadInput: 0, cacheWriteInput: 0 };
  const cost = { costMicros: 0, pricedRequests: 0, unpricedRequests: 0 };
  return fromThreadRow({ ...row, ...tokens, ...cost });
}

/** The first and the latest `limitPerThread` interceptions of each thread, by their start. */
export async function listThreadInterceptions(
  sql: Sql,
  key: SessionKey,
  {
    threadIds,
    limitPerThread,
  }: { readonly threadIds: readonly string[]; readonly limitPerThread: number },
): Promise<readonly RecordedInterception[]> {
  const { rows } = await text<Row>`
    with ranked as (
      select i.id, i.started_at, row_number() over (
        partition by coalesce(i.thread_root_id, i.id) order by i.started_at desc, i.id desc
      ) as rank
      from ai_interceptions i
      where i.initiator_id = ${key.initiatorId} and i.session_id = ${key.sessionId}
        and coalesce(i.thread_root_id, i.id) = any(${threadIds}::uuid[])
    )
    ${SELECT_INTERCEPTION}
    join ranked r on r.id = i.id and r.started_at = i.started_at
    where i.initiator_id = ${key.initiatorId} and i.session_id = ${key.sessionId}
      and (r.rank <= ${limitPerThread} or i.thread_root_id is null)
    order by i.started_at, i.id`.execute(sql);
  return withRecords(sql, rows.map(fromRow));
}

function threadsOf({ initiatorId, sessionId }: SessionKey): RawBuilder<unknown> {
  return text`
    select coalesce(i.thread_root_id, i.id) as id, min(i.started_at) as started_at
    from ai_interceptions i
    where i.initiator_id = ${initiatorId} and i.session_id = ${sessionId}
    group by coalesce(i.thread_root_id, i.id)`;
}

function conditionsOf({ view, filter, initiatorId }: InterceptionSearch): RawBuilder<unknown>[] {
  const conditions = [ofView(view), text`i.ended_at is not null`];
  const add = <Value>(value: Value | null, condition: (value: Value) => RawBuilder<unknown>) => {
    if (value !== null) conditions.push(condition(value));
  };
  add(initiatorId, (id) => text`i.initiator_id = ${id}`);
  add(filter.provider, (provider) => text`i.provider = ${provider}`);
  add(filter.providerName, (name) => text`i.provider_name = ${name}`);
  add(filter.model, (model) => text`i.model = ${model}`);
  add(filter.client, (client) => text`i.client = ${client}`);
  add(filter.sessionId, (id) => text`i.session_id = ${id}`);
  add(filter.startedAfter, (time) => text`i.started_at > ${time}`);
  add(filter.startedBefore, (time) => text`i.started_at < ${time}`);
  return conditions;
}

function ofView(view: UsageView): RawBuilder<unknown> {
  return view.kind === "own" ? text`i.initiator_id = ${view.userId}` : text`true`;
}

const SELECT_INTERCEPTION = text`
  select i.id, i.api_key_id, i.initiator_id, coalesce(u.username, '') as username,
    coalesce(u.name, '') as name, i.provider, i.provider_name, i.model, i.client, i.session_id,
    i.client_session_id, i.thread_parent_id, i.thread_root_id, i.credential_kind,
    i.credential_hint, i.metadata, i.started_at, i.ended_at, i.error_type, i.error_message,
    i.key_reason, i.trail
  from ai_interceptions i
  left join users u on u.id = i.initiator_id`;

type Row = {
  readonly id: string;
  readonly api_key_id: string;
  readonly initiator_id: string;
  readonly username: string;
  readonly name: string;
  readonly provider: string;
  readonly provider_name: string;
  readonly model: string;
  readonly client: string;
  readonly session_id: string;
  readonly client_session_id: string | null;
  readonly thread_parent_id: string | null;
  readonly thread_root_id: string | null;
  readonly credential_kind: "centralized" | "byok";
  readonly credential_hint: string;
  readonly metadata: Record<string, unknown>;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly error_type: string | null;
  readonly error_message: string | null;
  readonly key_reason: string | null;
  readonly trail: unknown;
};

function fromRow(row: Row): UsageInterception {
  return {
    id: row.id,
    apiKeyId: row.api_key_id,
    initiator: { id: row.initiator_id, username: row.username, name: row.name },
    provider: row.provider,
    providerName: row.provider_name,
    model: row.model,
    client: row.client,
    sessionId: row.session_id,
    clientSessionId: row.client_session_id,
    parentId: row.thread_parent_id,
    rootId: row.thread_root_id,
    credentialKind: row.credential_kind,
    credentialHint: row.credential_hint,
    metadata: row.metadata,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    errorType: row.error_type,
    errorMessage: row.error_message,
    trail: fromTrailColumns(row),
  };
}

type ThreadRow = TokenSums & CostSums & { readonly id: string; readonly started_at: Date };

function fromThreadRow(row: ThreadRow): ThreadHead {
  const {
    id,
    started_at: startedAt,
    costMicros,
    pricedRequests,
    unpricedRequests,
    ...tokens
  } = row;
  return { id, startedAt, tokens, cost: { costMicros, pricedRequests, unpricedRequests } };
}

async function withRecords(
  sql: Sql,
  interceptions: readonly UsageInterception[],
): Promise<readonly RecordedInterception[]> {
  if (interceptions.length === 0) return [];
  const children = childrenOf(interceptions);
  const { rows: tokens } = await text<UsageTokens>`
    select id, interception_id as "interceptionId", provider_response_id as "responseId",
      input_tokens as input, output_tokens as output, cache_read_input_tokens as "cacheReadInput",
      cache_write_input_tokens as "cacheWriteInput", cost_micros as "costMicros", metadata,
      created_at as "createdAt"
    from ai_token_usages where ${children}`.execute(sql);
  const { rows: prompts } = await text<UsagePrompt>`
    select id, interception_id as "interceptionId", provider_response_id as "responseId", prompt,
      metadata, created_at as "createdAt"
    from ai_user_prompts where ${children}`.execute(sql);
  const { rows: toolCalls } = await text<UsageToolCall>`
    select id, interception_id as "interceptionId", provider_response_id as "responseId",
      provider_tool_call_id as "toolCallId", tool, input, injected, server_url as "serverUrl",
      invocation_error as "invocationError", metadata, created_at as "createdAt"
    from ai_tool_usages where ${children}`.execute(sql);
  const { rows: thoughts } = await text<UsageThought>`
    select id, interception_id as "interceptionId", content, source, created_at as "createdAt"
    from ai_model_thoughts where ${children}`.execute(sql);
  const by = <Each extends { readonly interceptionId: string }>(all: readonly Each[]) =>
    Map.groupBy(all, (each) => each.interceptionId);
  const groups = [by(tokens), by(prompts), by(toolCalls), by(thoughts)] as const;
  return interceptions.map((interception) => ({
    ...interception,
    records: {
      tokens: groups[0].get(interception.id) ?? [],
      prompts: groups[1].get(interception.id) ?? [],
      toolCalls: groups[2].get(interception.id) ?? [],
      thoughts: groups[3].get(interception.id) ?? [],
    },
  }));
}

/** The times leave out the partitions of other months. */
function childrenOf(interceptions: readonly UsageInterception[]): RawBuilder<unknown> {
  const ids = interceptions.map((each) => each.id);
  const times = interceptions.map((each) => each.startedAt.getTime());
  return text`interception_id = any(${ids}::uuid[])
      and started_at between ${new Date(Math.min(...times))} and ${new Date(Math.max(...times))}
    order by created_at, id`;
}
