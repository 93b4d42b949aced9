/**
 * Keeps the prices of used models as the catalog has them: soon after a model is asked for the first
 * time, and every hour, because prices in the catalog begin at dates. Any server does it for all.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import type { Tasks } from "@atelier/host/tasks";
import { CatalogLookups } from "./catalog-lookups.ts";
import { takeCatalogPrices } from "./model-price-actions.ts";
import type { PriceCatalog } from "./model-price.ts";

const STEP_MS = 60 * 60_000;
const AGAIN_AFTER_FAILURE_MS = 60_000;
/**
 * Records that were being written while a price came in do not see it. By then they are there: no
 * statement takes longer.
 */
const AFTERWARDS_MS = 40_000;
/**
 * A program may ask for ever new names, each of which is told. Rounds take a fifth of the time at
 * most, however many models there are by then.
 */
const REST_OF_ROUND = 4;

export type CatalogPriceDeps = {
  readonly database: Database;
  readonly pubSub: Pick<PubSub, "subscribe">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tasks: Pick<Tasks, "run">;
  /** The channel on which is told that a model was asked for the first time. */
  readonly channel: string;
  readonly loadCatalog: () => Promise<PriceCatalog>;
  /** Prices may be there that were not when requests were recorded. */
  readonly onPrices: (signal: AbortSignal) => Promise<void>;
};

export function startCatalogPrices(deps: CatalogPriceDeps): void {
  const task = new CatalogPrices(deps);
  const subscription = deps.pubSub.subscribe(deps.channel, {
    message: () => task.nudge(),
    resync: () => task.nudge(),
  });
  deps.tasks.run("catalog prices", async (signal) => {
    using _ = subscription;
    await task.run(signal);
  });
}

class CatalogPrices {
  readonly #deps: CatalogPriceDeps;
  #lookups: Promise<CatalogLookups> | null = null;
  #nudge = Promise.withResolvers<void>();

  constructor(deps: CatalogPriceDeps) {
    this.#deps = deps;
  }

  nudge(): void {
    this.#nudge.resolve();
  }

  async run(signal: AbortSignal): Promise<void> {
    let pauseMs = 0;
    while (!signal.aborted) {
      const isNudged = await this.#pause(pauseMs, signal);
      if (signal.aborted) return;
      // A new hour may be one in which prices begin.
      if (!isNudged) this.#lookups = null;
      const isDone = await this.#round(signal);
      if (isDone) pauseMs = isNudged ? AFTERWARDS_MS : STEP_MS;
      else pauseMs = AGAIN_AFTER_FAILURE_MS;
    }
  }

  async #round(signal: AbortSignal): Promise<boolean> {
    const { clock, log, loadCatalog, onPrices } = this.#deps;
    try {
      this.#lookups ??= loadCatalog().then((catalog) => new CatalogLookups(catalog));
      const lookups = await this.#lookups;
      const startedMs = clock.monotonicMs();
      const changed = await takeCatalogPrices(this.#deps, lookups);
      if (changed > 0) log.info({ changed }, "prices of models are as in the catalog");
      await onPrices(signal);
      await this.#rest((clock.monotonicMs() - startedMs) * REST_OF_ROUND, signal);
      return true;
    } catch (error) {
      log.warn({ error }, "prices of the catalog are tried again later");
      return false;
    }
  }

  async #rest(restMs: number, signal: AbortSignal): Promise<void> {
    if (restMs > 0) await this.#deps.clock.sleep(restMs, signal).catch(() => {});
  }

  /** True when woken by a nudge, false when the time is up. */
  async #pause(pauseMs: number, signal: AbortSignal): Promise<boolean> {
    const waiting = new AbortController();
    const stop = AbortSignal.any([signal, waiting.signal]);
    try {
      return await Promise.race([
        this.#nudge.promise.then(() => true),
        this.#deps.clock.sleep(pauseMs, stop).then(
          () => false,
          () => false,
        ),
      ]);
    } finally {
      waiting.abort();
      this.#nudge = Promise.withResolvers<void>();
    }
  }
}
