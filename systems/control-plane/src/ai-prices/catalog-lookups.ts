/**
 * What the catalog says of models at one time, looked up once for each and a few at a time: a lookup
 * compares a name with hundreds of patterns, and requests are relayed in the same thread.
 */
import type { PriceCatalog, PricedModel, PriceTier } from "./model-price.ts";

/** Lookups in one turn of the event loop: about half a millisecond. */
const AT_ONCE = 16;

export type CatalogPrice<Model extends PricedModel> = {
  readonly model: Model;
  readonly tiers: readonly PriceTier[] | null;
};

export class CatalogLookups {
  readonly #catalog: PriceCatalog;
  readonly #found = new Map<string, readonly PriceTier[] | null>();

  constructor(catalog: PriceCatalog) {
    this.#catalog = catalog;
  }

  get version(): string {
    return this.#catalog.version;
  }

  /** In their order. `at`: for those that were not looked up before. */
  async findAll<Model extends PricedModel>(
    models: readonly Model[],
    at: Date,
  ): Promise<readonly CatalogPrice<Model>[]> {
    const prices: CatalogPrice<Model>[] = [];
    let looked = 0;
    for (const model of models) {
      // Types have no slash.
      const key = `${model.provider}/${model.model}`;
      let tiers = this.#found.get(key);
      if (tiers === undefined) {
        tiers = this.#catalog.find(model, at);
        this.#found.set(key, tiers);
        looked += 1;
        if (looked % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      prices.push({ model, tiers });
    }
    return prices;
  }
}
