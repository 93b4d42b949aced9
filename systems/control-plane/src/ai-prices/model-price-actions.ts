/**
 * Prices as administrators see and set them, and how those of the catalog come in. A price counts for
 * requests that begin after it was set: what was recorded keeps the price it was counted by.
 */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { Database, Sql } from "@atelier/database/database";
import type { Actor } from "../access/actor.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { CatalogLookups } from "./catalog-lookups.ts";
import {
  closePrice,
  listModelPrices,
  listOpenPrices,
  listPricedModels,
  listSeenModels,
  lockPrices,
  openPrice,
  type SeenModel,
} from "./model-price-store.ts";
import { areSameTiers, type ModelPrice, type PricedModel, type PriceTier } from "./model-price.ts";

export type ModelPriceDeps = { readonly database: Database; readonly clock: Clock };

export async function readModelPrices(
  { database }: ModelPriceDeps,
  query: {
    readonly provider: string | undefined;
    readonly part: string | undefined;
    readonly isUnpriced: boolean;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<
  Result<
    { readonly prices: readonly ModelPrice[]; readonly count: number },
    Failure<"request.invalid">
  >
> {
  const after = query.after === undefined ? null : splitCursor(query.after);
  if (after === undefined) {
    const detail = "Write <provider>/<model>.";
    return fail({ code: "request.invalid", validations: [{ field: "after", detail }] });
  }
  const { provider = null, part = null, isUnpriced, limit } = query;
  const search = { provider, part, isUnpriced, only: null };
  return ok(await listModelPrices(database.sql, search, { limit, after }));
}

/** Types have no slash, models may. */
function splitCursor(cursor: string): PricedModel | undefined {
  const at = cursor.indexOf("/");
  return at < 1 ? undefined : { provider: cursor.slice(0, at), model: cursor.slice(at + 1) };
}

export async function setModelPrice(
  { database, clock }: ModelPriceDeps,
  { actor, audit }: { readonly actor: Actor; readonly audit: AuditTrail },
  { model, tiers }: { readonly model: PricedModel; readonly tiers: readonly PriceTier[] },
): Promise<Result<ModelPrice, never>> {
  return database.transaction(async (sql) => {
    await lockPrices(sql);
    const [before] = await listOpenPrices(sql, "override", model);
    if (before === undefined || !areSameTiers(before.tiers, tiers)) {
      const now = clock.now();
      if (before !== undefined) await closePrice(sql, before.id, now);
      const version = { origin: "override", catalogVersion: null, setBy: actor.userId } as const;
      await openPrice(sql, { ...model, ...version, validFrom: now, tiers });
    }
    await audit.record(sql, {
      resourceId: null,
      target: targetOf(model),
      diff: { tiers: { old: before?.tiers ?? null, new: tiers } },
    });
    return ok(await priceOf(sql, model));
  });
}

export async function dropModelPrice(
  { database, clock }: ModelPriceDeps,
  audit: AuditTrail,
  model: PricedModel,
): Promise<Result<undefined, Failure<"resource.not_found">>> {
  audit.attempted({ resourceId: null, target: targetOf(model) });
  return database.transaction(async (sql) => {
    await lockPrices(sql);
    const [before] = await listOpenPrices(sql, "override", model);
    if (before === undefined) return fail({ code: "resource.not_found" });
    await closePrice(sql, before.id, clock.now());
    await audit.record(sql, {
      resourceId: null,
      target: targetOf(model),
      diff: { tiers: { old: before.tiers, new: null } },
    });
    return ok(undefined);
  });
}

function targetOf({ provider, model }: PricedModel): string {
  return `${provider}/${model}`;
}

async function priceOf(sql: Sql, only: PricedModel): Promise<ModelPrice> {
  const search = { provider: null, part: null, isUnpriced: false, only };
  const [price] = (await listModelPrices(sql, search, { limit: 1, after: null })).prices;
  return (
    price ?? {
      ...only,
      origin: null,
      tiers: [],
      catalogVersion: null,
      validFrom: null,
      setBy: null,
    }
  );
}

/**
 * A model that was seen just now is looked up a moment after its first request: the price counts for
 * that one, too. One that the catalog learns later counts from then on.
 */
const JUST_SEEN_MS = 60 * 60_000;
/** Requests of other servers may have begun earlier than the one that was told first. */
const BEFORE_SEEN_MS = 24 * 60 * 60_000;

/** Brings what the catalog says of every model that was used. Returns how many prices changed. */
export async function takeCatalogPrices(
  { database, clock }: ModelPriceDeps,
  catalog: CatalogLookups,
): Promise<number> {
  // Before the transaction: others wait for its lock. Models that appear meanwhile are told anew.
  const found = await catalog.findAll(await listSeenModels(database.sql), clock.now());
  return database.transaction(async (sql) => {
    await lockPrices(sql);
    const now = clock.now();
    const open = byModel(await listOpenPrices(sql, "catalog", null));
    const known = byModel(await listPricedModels(sql, "catalog"));
    let changed = 0;
    for (const { model: seen, tiers } of found) {
      const { provider, model } = seen;
      const before = open.get(targetOf(seen));
      if (before === undefined ? tiers === null : isSame(before.tiers, tiers)) continue;
      changed += 1;
      if (before !== undefined) await closePrice(sql, before.id, now);
      if (tiers === null) continue;
      const validFrom = known.has(targetOf(seen)) ? now : firstValidFrom(seen, now);
      const version = { origin: "catalog", catalogVersion: catalog.version, setBy: null } as const;
      await openPrice(sql, { provider, model, ...version, validFrom, tiers });
    }
    return changed;
  });
}

function byModel<Priced extends PricedModel>(all: readonly Priced[]): ReadonlyMap<string, Priced> {
  return new Map(all.map((each) => [targetOf(each), each]));
}

function isSame(before: readonly PriceTier[], after: readonly PriceTier[] | null): boolean {
  return after !== null && areSameTiers(before, after);
}

function firstValidFrom({ seenAt }: SeenModel, now: Date): Date {
  const isJustSeen = now.getTime() - seenAt.getTime() < JUST_SEEN_MS;
  return isJustSeen ? new Date(seenAt.getTime() - BEFORE_SEEN_MS) : now;
}
