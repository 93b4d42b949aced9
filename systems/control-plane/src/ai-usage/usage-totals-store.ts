/** Reads sums of usage, which are kept by quarters of an hour. */
import type { Sql } from "@atelier/database/database";
import type { UsageDimension } from "@atelier/contract/http/ai-costs";
import { sql as text, type RawBuilder } from "kysely";
import type { TotalsFilter } from "./usage-query.ts";
import type { DaySpan, UsageGroup, UsageTotals } from "./usage-totals.ts";
import type { UsageView } from "./usage.ts";

export type TotalsSearch = {
  readonly view: UsageView;
  readonly span: DaySpan;
  readonly filter: TotalsFilter;
  /** What the filter's initiator stands for. Null: everybody. */
  readonly initiatorId: string | null;
  readonly dimensions: readonly UsageDimension[];
};

export type TotalsPage = {
  readonly groups: readonly UsageGroup[];
  /** Of all groups, also those beyond the limit. */
  readonly total: UsageTotals;
  readonly count: number;
};

const SUMS = [
  "requests",
  "errors",
  "input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_write_input_tokens",
  "cost_micros",
  "priced_requests",
  "unpriced_requests",
] as const;
type Sums = Readonly<Record<(typeof SUMS)[number], number>>;
type TotalSums = Readonly<Record<`total_${(typeof SUMS)[number]}`, number>>;

type Row = Sums &
  TotalSums & {
    readonly count: number;
    readonly dayName: string | null;
    readonly user: string | null;
    readonly username: string;
    readonly name: string;
    readonly model: string | null;
    readonly client: string | null;
    readonly provider: string | null;
  };

/** By day, and then the dearest first. */
export async function sumUsage(sql: Sql, search: TotalsSearch, limit: number): Promise<TotalsPage> {
  const columns = search.dimensions.map(
    (dimension) => text`${columnOf(dimension, search.span)} as ${text.ref(dimension)}`,
  );
  const sums = SUMS.map((sum) => text`sum(t.${text.ref(sum)})::bigint as ${text.ref(sum)}`);
  const totals = SUMS.map(
    (sum) => text`sum(g.${text.ref(sum)}) over ()::bigint as ${text.ref(`total_${sum}`)}`,
  );
  const groups = search.dimensions.map((_, index) => text.lit(index + 1));
  const { rows } = await text<Row>`
    with grouped as materialized (
      select ${text.join([...columns, ...sums])}
      from ai_usage_totals t
      where ${text.join(conditionsOf(search), text` and `)}
      group by ${text.join(groups)}
    ), page as materialized (
      select g.*, count(*) over () as count, ${text.join(totals)}
      from grouped g
      order by ${orderOf("g", search.dimensions)}
      limit ${limit}
    )
    select p.*, ${namesOf(search.dimensions)}
    from page p
    ${search.dimensions.includes("user") ? text`left join users u on u.id = p."user"` : text``}
    order by ${orderOf("p", search.dimensions)}`.execute(sql);
  const [first] = rows;
  return { groups: rows.map(toGroup), total: toTotal(first), count: first?.count ?? 0 };
}

function columnOf(dimension: UsageDimension, { timeZone }: DaySpan): RawBuilder<unknown> {
  switch (dimension) {
    case "day":
      return text`(t.quarter at time zone ${timeZone})::date`;
    case "user":
      return text`t.initiator_id`;
    case "provider":
      return text`t.provider_name`;
    case "model":
    case "client":
      return text`t.${text.ref(dimension)}`;
  }
}

function orderOf(table: string, dimensions: readonly UsageDimension[]): RawBuilder<unknown> {
  const of = (column: string) => text`${text.ref(`${table}.${column}`)}`;
  return text.join([
    ...(dimensions.includes("day") ? [of("day")] : []),
    text`${of("cost_micros")} desc`,
    text`${of("requests")} desc`,
    ...dimensions.map(of),
  ]);
}

/** For people. Only of what is shown: writing a day as text costs more than adding its sums up. */
function namesOf(dimensions: readonly UsageDimension[]): RawBuilder<unknown> {
  const user = dimensions.includes("user")
    ? text`coalesce(u.username, '') as username, coalesce(u.name, '') as name`
    : text`'' as username, '' as name`;
  const day = dimensions.includes("day") ? text`to_char(p.day, 'YYYY-MM-DD')` : text`null`;
  return text`${user}, ${day} as "dayName"`;
}

function conditionsOf(search: TotalsSearch): RawBuilder<unknown>[] {
  const { view, span, filter, initiatorId } = search;
  const conditions = [
    text`t.quarter >= (${span.from}::date::timestamp at time zone ${span.timeZone})`,
    text`t.quarter < ((${span.to}::date + 1)::timestamp at time zone ${span.timeZone})`,
    view.kind === "own" ? text`t.initiator_id = ${view.userId}` : text`true`,
  ];
  const add = (column: string, value: string | null): void => {
    if (value !== null) conditions.push(text`${text.ref(`t.${column}`)} = ${value}`);
  };
  add("initiator_id", initiatorId);
  add("provider", filter.provider);
  add("provider_name", filter.providerName);
  add("model", filter.model);
  add("client", filter.client);
  add("credential_kind", filter.credentialKind);
  return conditions;
}

function toGroup(row: Row): UsageGroup {
  const { user, username, name } = row;
  return {
    ...toTotals(row),
    day: row.dayName,
    user: user === null || user === undefined ? null : { id: user, username, name },
    model: row.model ?? null,
    client: row.client ?? null,
    provider: row.provider ?? null,
  };
}

function toTotal(row: Row | undefined): UsageTotals {
  const entries = SUMS.map((sum) => [sum, row?.[`total_${sum}`] ?? 0] as const);
  return toTotals(Object.fromEntries(entries) as Sums);
}

function toTotals(sums: Sums): UsageTotals {
  return {
    requests: sums.requests,
    errors: sums.errors,
    tokens: {
      input: sums.input_tokens,
      output: sums.output_tokens,
      cacheReadInput: sums.cache_read_input_tokens,
      cacheWriteInput: sums.cache_write_input_tokens,
    },
    costMicros: sums.cost_micros,
    pricedRequests: sums.priced_requests,
    unpricedRequests: sums.unpriced_requests,
  };
}
