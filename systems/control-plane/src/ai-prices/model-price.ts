/**
 * What a model's tokens cost: whole micro-dollars for a million of them, in tiers by the length of the
 * prompt. A price that is not known is null, never 0.
 */

/** As prices know a model: the provider's type, and the name that requests carry. */
export type PricedModel = { readonly provider: string; readonly model: string };

/** Of requests whose whole prompt has at least `fromTokens`. */
export type PriceTier = {
  readonly fromTokens: number;
  readonly input: number | null;
  readonly output: number | null;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  /** Null: as `cacheWrite`. */
  readonly cacheWrite1h: number | null;
};

export type ModelPrice = PricedModel & {
  /** Null: none is known, and there are no tiers. */
  readonly origin: "override" | "catalog" | null;
  readonly tiers: readonly PriceTier[];
  readonly catalogVersion: string | null;
  readonly validFrom: Date | null;
  readonly setBy: { readonly id: string; readonly username: string; readonly name: string } | null;
};

/** A price list that comes with the server. */
export type PriceCatalog = {
  readonly version: string;
  /** Null: it does not know the model, or not a price by which tokens can be counted. */
  find(model: PricedModel, at: Date): readonly PriceTier[] | null;
};

export function sortTiers(tiers: readonly PriceTier[]): readonly PriceTier[] {
  return tiers.toSorted((a, b) => a.fromTokens - b.fromTokens);
}

export function areSameTiers(a: readonly PriceTier[], b: readonly PriceTier[]): boolean {
  return JSON.stringify(sortTiers(a).map(toRow)) === JSON.stringify(sortTiers(b).map(toRow));
}

function toRow(tier: PriceTier): readonly (number | null)[] {
  return [
    tier.fromTokens,
    tier.input,
    tier.output,
    tier.cacheRead,
    tier.cacheWrite,
    tier.cacheWrite1h,
  ];
}
