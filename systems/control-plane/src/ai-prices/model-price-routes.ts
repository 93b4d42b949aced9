/** Prices over HTTP. Paths and schemas: libs/contract/src/http/ai-costs.ts. */
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/ai-costs";
import { route, type Route } from "../http/route.ts";
import {
  dropModelPrice,
  readModelPrices,
  setModelPrice,
  type ModelPriceDeps,
} from "./model-price-actions.ts";
import type { ModelPrice, PriceTier } from "./model-price.ts";

export function modelPriceRoutes(deps: ModelPriceDeps): Route[] {
  return [
    route(contract.listModelPrices, async ({ query }) => {
      const { limit, provider, search: part, unpriced: isUnpriced = false, after } = query;
      const read = await readModelPrices(deps, { limit, provider, part, isUnpriced, after });
      if (!read.ok) return read;
      return ok({ prices: read.value.prices.map(toWire), count: read.value.count });
    }),

    route(contract.setModelPrice, async ({ actor, audit, body }) => {
      const { provider, model, tiers, ...base } = body;
      const wanted = [{ from_tokens: 0, ...base }, ...tiers].map(fromWireTier);
      const set = await setModelPrice(
        deps,
        { actor, audit },
        { model: { provider, model }, tiers: wanted },
      );
      return set.ok ? ok(toWire(set.value)) : set;
    }),

    route(contract.deleteModelPrice, ({ audit, query }) => dropModelPrice(deps, audit, query)),
  ];
}

function fromWireTier(tier: contract.PriceTier): PriceTier {
  return {
    fromTokens: tier.from_tokens,
    input: tier.input,
    output: tier.output,
    cacheRead: tier.cache_read,
    cacheWrite: tier.cache_write,
    cacheWrite1h: tier.cache_write_1h,
  };
}

function toWire(price: ModelPrice): contract.ModelPrice {
  return {
    provider: price.provider,
    model: price.model,
    origin: price.origin,
    tiers: price.tiers.map(toWireTier),
    catalog_version: price.catalogVersion,
    valid_from: price.validFrom?.toISOString() ?? null,
    set_by: price.setBy,
  };
}

function toWireTier(tier: PriceTier): contract.PriceTier {
  return {
    from_tokens: tier.fromTokens,
    input: tier.input,
    output: tier.output,
    cache_read: tier.cacheRead,
    cache_write: tier.cacheWrite,
    cache_write_1h: tier.cacheWrite1h,
  };
}
