/**
 * Keeps the gateway's providers equal to what is stored, on every server (spec gateway 7.2, 7.4).
 *
 * Reconciles: a notification, a regained connection and a timer all do the same. So a server that
 * missed a notification serves a change within POLL_MS. A read that fails keeps the snapshot:
 * dropping all providers because of it would be worse than serving old ones.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { ProviderSnapshot, ProviderSource } from "@atelier/contract/rpc/gateway-ports";
import type { Database } from "@atelier/database/database";
import type { PubSub } from "@atelier/database/pub-sub";
import type { Metrics } from "@atelier/host/metrics";
import type { Tasks } from "@atelier/host/tasks";
import type { Vault } from "../vault/vault.ts";
import { loadProviderRows, readProviderChanges } from "./model-provider-store.ts";
import {
  buildProviders,
  haveAllFailed,
  NO_PROVIDERS,
  PROVIDERS_CHANNEL,
  type BuiltProviders,
  type ProviderRow,
  type ProviderStatus,
} from "./provider-snapshot.ts";

/** A change reaches every server within two seconds (our goal); a poll costs one row. */
export const POLL_MS = 1_500;
/** How long an administrator's answer waits for its own server to take the change over. */
const REFRESH_WAIT_MS = 1_000;

export type ProviderSnapshotDeps = {
  readonly database: Database;
  readonly pubSub: Pick<PubSub, "subscribe">;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tasks: Pick<Tasks, "run">;
  readonly isByokAllowed: boolean;
};

/** Who serves from other threads: each new snapshot is taken over before the load is over. */
export interface ProviderFollowing {
  /** Lasts until disposed. `take` never rejects, and is bounded in time. */
  follow(take: (snapshot: ProviderSnapshot) => Promise<void>): Disposable;
}

/** Resolves after the first load. Without a database it begins with no providers and retries. */
export async function startProviderSnapshots(
  deps: ProviderSnapshotDeps,
): Promise<ProviderSource & ProviderStatus & ProviderFollowing> {
  const snapshots = new ProviderSnapshots(deps);
  // Subscribed before the first load, so that no change falls between the two.
  const subscription = deps.pubSub.subscribe(PROVIDERS_CHANNEL, {
    message: () => snapshots.nudge(),
    resync: () => snapshots.nudge(),
  });
  await snapshots.load();
  deps.tasks.run("ai provider snapshots", async (signal) => {
    using _ = subscription;
    await snapshots.run(signal);
  });
  return snapshots;
}

class ProviderSnapshots implements ProviderSource, ProviderStatus, ProviderFollowing {
  readonly #deps: ProviderSnapshotDeps;
  readonly #gauges: Gauges;
  #snapshot: ProviderSnapshot = { version: 0, providers: new Map() };
  #built: BuiltProviders = NO_PROVIDERS;
  #errors: ReadonlyMap<string, string> = new Map();
  /** What the count of changes was when the snapshot was read. Null: nothing could be read yet. */
  #loadedChanges: number | null = null;
  #isReadable = true;
  /** Loads run one after the other; whoever asks while one runs shares the next. */
  #running: Promise<void> | null = null;
  #queued: Promise<void> | null = null;
  #nudge = Promise.withResolvers<void>();
  readonly #followers = new Set<(snapshot: ProviderSnapshot) => Promise<void>>();

  constructor(deps: ProviderSnapshotDeps) {
    this.#deps = deps;
    this.#gauges = makeGauges(deps.metrics);
  }

  current(): ProviderSnapshot {
    return this.#snapshot;
  }

  follow(take: (snapshot: ProviderSnapshot) => Promise<void>): Disposable {
    this.#followers.add(take);
    return { [Symbol.dispose]: () => this.#followers.delete(take) };
  }

  errorOf(providerId: string): string | null {
    return this.#errors.get(providerId) ?? null;
  }

  async refresh(): Promise<void> {
    const waiting = new AbortController();
    try {
      await Promise.race([
        this.load(),
        this.#deps.clock.sleep(REFRESH_WAIT_MS, waiting.signal).catch(() => {}),
      ]);
    } finally {
      waiting.abort();
    }
  }

  nudge(): void {
    this.#nudge.resolve();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isNudged = await this.#pause(signal);
      if (signal.aborted) return;
      if (isNudged || (await this.#isOutdated())) await this.load();
    }
  }

  /** Never rejects: a failed read is logged, and the next poll tries again. */
  async load(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#loadOnce().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    // The load under way may have read before the caller's change.
    this.#queued ??= this.#running.then(() => {
      this.#queued = null;
      return this.load();
    });
    await this.#queued;
  }

  /** True when woken by a nudge, false when the time is up. */
  async #pause(signal: AbortSignal): Promise<boolean> {
    const awake = new AbortController();
    const stop = AbortSignal.any([signal, awake.signal]);
    const slept = this.#deps.clock.sleep(POLL_MS, stop).then(
      () => false,
      () => false,
    );
    const isNudged = await Promise.race([slept, this.#nudge.promise.then(() => true)]);
    awake.abort();
    if (isNudged) this.#nudge = Promise.withResolvers<void>();
    return isNudged;
  }

  async #isOutdated(): Promise<boolean> {
    try {
      const changes = await readProviderChanges(this.#deps.database.sql);
      this.#reportReadable();
      return changes !== this.#loadedChanges;
    } catch (error) {
      this.#reportUnreadable(error);
      return false;
    }
  }

  async #loadOnce(): Promise<void> {
    const { clock, database, vault, isByokAllowed } = this.#deps;
    this.#gauges.attemptedAt.set(clock.now().getTime() / 1_000);
    try {
      const { changes, rows } = await database.readOnlyTransaction(async (sql) => ({
        changes: await readProviderChanges(sql),
        rows: await loadProviderRows(sql),
      }));
      const built = buildProviders(rows, { vault, isByokAllowed, previous: this.#built });
      this.#swap(built, changes);
      this.#reportReadable();
      this.#reportRows(rows, built);
      const snapshot = this.#snapshot;
      await Promise.all([...this.#followers].map((take) => take(snapshot)));
    } catch (error) {
      this.#reportUnreadable(error);
    }
  }

  #swap(built: BuiltProviders, changes: number): void {
    this.#built = built;
    this.#errors = new Map(built.errors.map(({ row, error }) => [row.id, error]));
    this.#loadedChanges = changes;
    this.#snapshot = { version: this.#snapshot.version + 1, providers: built.providers };
  }

  #reportRows(rows: readonly ProviderRow[], built: BuiltProviders): void {
    const { clock, log } = this.#deps;
    for (const { row, error } of built.errors) {
      log.error(
        { provider_id: row.id, provider_name: row.name, provider_type: row.type, error },
        "skipping misconfigured ai provider",
      );
    }
    if (haveAllFailed(rows, built)) {
      log.warn(
        {},
        "all enabled ai providers failed to build; daemon will start with zero providers",
      );
    }
    const { version } = this.#snapshot;
    log.info(
      { provider_count: built.providers.size, provider_version: version },
      "ai providers loaded",
    );
    this.#gauges.succeededAt.set(clock.now().getTime() / 1_000);
    this.#gauges.info.reset();
    for (const row of rows) {
      const status = this.#errors.has(row.id) ? "error" : row.enabled ? "enabled" : "disabled";
      this.#gauges.info.set({ provider_name: row.name, provider_type: row.type, status }, 1);
    }
  }

  /** One line when it breaks and one when it heals: a poll comes every second or two. */
  #reportUnreadable(error: unknown): void {
    const { log } = this.#deps;
    if (this.#isReadable) log.error({ error }, "load ai providers failed; the latest ones stay");
    this.#isReadable = false;
  }

  #reportReadable(): void {
    if (!this.#isReadable) this.#deps.log.info({}, "ai providers can be read again");
    this.#isReadable = true;
  }
}

function makeGauges(metrics: Metrics) {
  return {
    info: metrics.gauge("provider_info", "Model providers and their state.", [
      "provider_name",
      "provider_type",
      "status",
    ]),
    attemptedAt: metrics.gauge(
      "providers_last_reload_timestamp_seconds",
      "When the providers were last read, or tried to be.",
      [],
    ),
    succeededAt: metrics.gauge(
      "providers_last_reload_success_timestamp_seconds",
      "When the providers were last read successfully.",
      [],
    ),
  };
}

type Gauges = ReturnType<typeof makeGauges>;
