/** Versions of prices: what is in force, and how one follows another. */
import type { Sql } from "@atelier/database/database";
import { sql as text, type RawBuilder } from "kysely";
import { sortTiers, type ModelPrice, type PricedModel, type PriceTier } from "./model-price.ts";

/** Until the end of the transaction: of each model and origin one version at most is in force. */
export async function lockPrices(sql: Sql): Promise<void> {
  await text`select pg_advisory_xact_lock(hashtext('ai_model_prices'))`.execute(sql);
}

export type SeenModel = PricedModel & { readonly seenAt: Date };

export async function listSeenModels(sql: Sql): Promise<readonly SeenModel[]> {
  const { rows } = await text<SeenModel>`
    select provider, model, seen_at as "seenAt" from ai_seen_models`.execute(sql);
  return rows;
}

export type Origin = "override" | "catalog";

export type PriceVersion = PricedModel & {
  readonly id: number;
  readonly tiers: readonly PriceTier[];
};

const TIERS = text`
  coalesce((
    select json_agg(json_build_object('fromTokens', t.from_tokens, 'input', t.input,
      'output', t.output, 'cacheRead', t.cache_read, 'cacheWrite', t.cache_write,
      'cacheWrite1h', t.cache_write_1h) order by t.from_tokens)
    from ai_price_tiers t
    where t.price_id = p.id
  ), '[]') as tiers`;

/** In force, of this origin; of one model or of all. */
export async function listOpenPrices(
  sql: Sql,
  origin: Origin,
  of: PricedModel | null,
): Promise<readonly PriceVersion[]> {
  const { rows } = await text<PriceVersion>`
    select p.id, p.provider, p.model, ${TIERS}
    from ai_model_prices p
    where p.origin = ${origin} and p.valid_to is null
      and ${of === null ? text`true` : text`p.provider = ${of.provider} and p.model = ${of.model}`}
  `.execute(sql);
  return rows;
}

/** Models that ever had a price of this origin. */
export async function listPricedModels(sql: Sql, origin: Origin): Promise<readonly PricedModel[]> {
  const { rows } = await text<PricedModel>`
    select distinct provider, model from ai_model_prices where origin = ${origin}`.execute(sql);
  return rows;
}

export async function closePrice(sql: Sql, id: number, at: Date): Promise<void> {
  // The clock of the server that opened it may be ahead.
  await text`
    update ai_model_prices set valid_to = greatest(valid_from, ${at}) where id = ${id}
  `.execute(sql);
}

export async function openPrice(
  sql: Sql,
  price: PricedModel & {
    readonly origin: Origin;
    readonly catalogVersion: string | null;
    readonly setBy: string | null;
    readonly validFrom: Date;
    readonly tiers: readonly PriceTier[];
  },
): Promise<void> {
  const { provider, model, origin, catalogVersion, setBy, validFrom, tiers } = price;
  await text`
    with made as (
      insert into ai_model_prices (provider, model, origin, catalog_version, set_by, valid_from)
      values (${provider}, ${model}, ${origin}, ${catalogVersion}, ${setBy}, ${validFrom})
      returning id
    )
    insert into ai_price_tiers (
      price_id, from_tokens, input, output, cache_read, cache_write, cache_write_1h
    )
    select made.id, t."fromTokens", t.input, t.output, t."cacheRead", t."cacheWrite",
      t."cacheWrite1h"
    from made cross join json_to_recordset(${JSON.stringify(sortTiers(tiers))}::json) as t (
      "fromTokens" bigint, input bigint, output bigint, "cacheRead" bigint, "cacheWrite" bigint,
      "cacheWrite1h" bigint
    )`.execute(sql);
}

export type PriceSearch = {
  readonly provider: string | null;
  /** In the model's name. */
  readonly part: string | null;
  readonly isUnpriced: boolean;
  readonly only: PricedModel | null;
};

/** What counts now for each model that was used or has a price, by name. */
export async function listModelPrices(
  sql: Sql,
  search: PriceSearch,
  page: { readonly limit: number; readonly after: PricedModel | null },
): Promise<{ readonly prices: readonly ModelPrice[]; readonly count: number }> {
  const { after, limit } = page;
  const { rows } = await text<Row>`
    with models as (
      select provider, model from ai_seen_models
      union
      select provider, model from ai_model_prices where valid_to is null
    ), found as materialized (
      select m.provider, m.model, p.id, p.origin, p.catalog_version, p.valid_from, p.set_by
      from models m
      left join lateral (
        select * from ai_model_prices p
        where p.provider = m.provider and p.model = m.model and p.valid_to is null
        order by p.origin = 'override' desc
        limit 1
      ) as p on true
      where ${text.join(conditionsOf(search), text` and `)}
    )
    select p.provider, p.model, p.origin, p.catalog_version as "catalogVersion",
      p.valid_from as "validFrom", p.set_by as "setById", u.username, u.name, ${TIERS},
      (select count(*) from found) as count
    from found p
    left join users u on u.id = p.set_by
    where ${after === null ? text`true` : text`(p.provider, p.model) > (${after.provider}, ${after.model})`}
    order by p.provider, p.model
    limit ${limit}`.execute(sql);
  return { prices: rows.map(fromRow), count: rows[0]?.count ?? 0 };
}

function conditionsOf({ provider, part, isUnpriced, only }: PriceSearch): RawBuilder<unknown>[] {
  const conditions = [text`true`];
  if (provider !== null) conditions.push(text`m.provider = ${provider}`);
  if (part !== null) conditions.push(text`position(lower(${part}) in lower(m.model)) > 0`);
  if (isUnpriced) conditions.push(text`p.id is null`);
  if (only !== null) {
    conditions.push(text`m.provider = ${only.provider} and m.model = ${only.model}`);
  }
  return conditions;
}

type Row = Omit<ModelPrice, "setBy"> & {
  readonly setById: string | null;
  readonly username: string | null;
  readonly name: string | null;
  readonly count: number;
};

function fromRow(row: Row): ModelPrice {
  const { provider, model, origin, tiers, catalogVersion, validFrom, setById } = row;
  const setBy =
    setById === null ? null : { id: setById, username: row.username ?? "", name: row.name ?? "" };
  return { provider, model, origin, tiers, catalogVersion, validFrom, setBy };
}
