/**
 * What this process has learned of each provider: how its keys do, and which of its models are in
 * trouble. Shared by all callers, and kept across reloads for as long as the provider exists.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type {
  BreakerHealth,
  GatewayHealth,
  GatewayProvider,
  ProviderKeyHealth,
  ProviderSnapshot,
  ProviderSource,
} from "@atelier/contract/rpc/gateway-ports";
import { BreakerSet, type BreakerStateChange } from "../breaker/breaker-set.ts";
import type { BreakerConfig } from "../breaker/circuit-breaker.ts";
import { KeyPool } from "../keys/key-pool.ts";
import type { KeyChecks } from "./key-checks.ts";
import { KeySlots, type KeyQueueLimits } from "../keys/key-slots.ts";

export type ProviderState = {
  readonly keys: KeyPool;
  readonly slots: KeySlots;
  /** Null: circuit breakers are switched off. */
  readonly breakers: BreakerSet | null;
};

/** How one provider does, for those who look. */
export type ProviderReport = {
  readonly name: string;
  readonly keys: readonly ProviderKeyHealth[];
  /** Calls that wait for a key that is not too busy. */
  readonly waiting: number;
  readonly breakers: readonly BreakerHealth[];
  readonly breakerStates: ReturnType<BreakerSet["states"]>;
};

export type ProviderStatesDeps = {
  readonly providers: ProviderSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** Null: circuit breakers are switched off. */
  readonly breakerConfig: BreakerConfig | null;
  readonly keyQueue: KeyQueueLimits;
  readonly keyChecks: Pick<KeyChecks, "lastCheckedAt" | "forget">;
};

export class ProviderStates implements GatewayHealth {
  readonly #source: ProviderSource;
  readonly #clock: Clock;
  readonly #breakerConfig: BreakerConfig | null;
  readonly #log: Logger;
  readonly #keyQueue: KeyQueueLimits;
  readonly #keyChecks: ProviderStatesDeps["keyChecks"];
  readonly #states = new Map<string, ProviderState>();
  #seenVersion = -1;

  constructor(deps: ProviderStatesDeps) {
    const { providers, clock, breakerConfig, keyQueue, keyChecks, log } = deps;
    this.#source = providers;
    this.#clock = clock;
    this.#breakerConfig = breakerConfig;
    this.#keyQueue = keyQueue;
    this.#keyChecks = keyChecks;
    this.#log = log;
  }

  stateOf(provider: GatewayProvider, snapshot: ProviderSnapshot): ProviderState {
    if (snapshot.version > this.#seenVersion) this.#follow(snapshot);
    const known = this.#states.get(provider.id);
    if (known !== undefined) return known;
    const state = {
      keys: new KeyPool(this.#clock),
      // A limit that was raised meanwhile helps those who wait, also when nobody else calls.
      slots: new KeySlots(this.#clock, this.#keyQueue, () => this.#followLatest()),
      breakers: this.#makeBreakers(provider.name),
    };
    state.slots.limitTo(provider.keyConcurrencyMax);
    this.#states.set(provider.id, state);
    return state;
  }

  /** The providers of the latest snapshot, called or not. */
  all(): readonly ProviderReport[] {
    return [...this.#source.current().providers.values()].map((provider) => ({
      name: provider.name,
      keys: this.#healthOf(provider),
      waiting: this.waitingOf(provider.id),
      breakers: this.breakersOf(provider.id),
      breakerStates: this.#states.get(provider.id)?.breakers?.states() ?? [],
    }));
  }

  keysOf(providerId: string): ReturnType<GatewayHealth["keysOf"]> {
    const providers = [...this.#source.current().providers.values()];
    const provider = providers.find(({ id }) => id === providerId);
    return provider === undefined ? [] : this.#healthOf(provider);
  }

  breakersOf(providerId: string): ReturnType<GatewayHealth["breakersOf"]> {
    return this.#states.get(providerId)?.breakers?.health() ?? [];
  }

  waitingOf(providerId: string): number {
    return this.#states.get(providerId)?.slots.waiting ?? 0;
  }

  resetKey(providerId: string, keyId: string): void {
    this.#keyChecks.forget(keyId);
    this.#states.get(providerId)?.keys.reset(keyId);
  }

  #makeBreakers(provider: string): BreakerSet | null {
    if (this.#breakerConfig === null) return null;
    const onChange = (change: BreakerStateChange): void => {
      this.#log.info({ provider, ...change }, "circuit breaker state change");
    };
    return new BreakerSet(this.#breakerConfig, this.#clock, onChange);
  }

  #healthOf({ id, keys, keyConcurrencyMax }: GatewayProvider): readonly ProviderKeyHealth[] {
    const state = this.#states.get(id);
    const pool = state?.keys ?? new KeyPool(this.#clock);
    const unused = keyConcurrencyMax === null ? null : 0;
    return keys.map((key) => ({
      ...pool.health(key.id),
      lastCheckedAt: this.#keyChecks.lastCheckedAt(key.id),
      underWay: state?.slots.takenOf(key.id) ?? unused,
    }));
  }

  #followLatest(): void {
    const snapshot = this.#source.current();
    if (snapshot.version > this.#seenVersion) this.#follow(snapshot);
  }

  #follow(snapshot: ProviderSnapshot): void {
    this.#seenVersion = snapshot.version;
    const byId = new Map([...snapshot.providers.values()].map((each) => [each.id, each]));
    for (const [id, state] of this.#states) {
      const provider = byId.get(id);
      if (provider === undefined) {
        this.#states.delete(id);
        continue;
      }
      state.keys.keepOnly(provider.keys);
      state.slots.limitTo(provider.keyConcurrencyMax);
    }
  }
}
