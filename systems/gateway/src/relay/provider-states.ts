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

export type ProviderState = {
  readonly keys: KeyPool;
  /** Null: circuit breakers are switched off. */
  readonly breakers: BreakerSet | null;
};

/** How one provider does, for those who look. */
export type ProviderReport = {
  readonly name: string;
  readonly keys: readonly ProviderKeyHealth[];
  readonly breakers: readonly BreakerHealth[];
  readonly breakerStates: ReturnType<BreakerSet["states"]>;
};

export type ProviderStatesDeps = {
  readonly providers: ProviderSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** Null: circuit breakers are switched off. */
  readonly breakerConfig: BreakerConfig | null;
};

export class ProviderStates implements GatewayHealth {
  readonly #source: ProviderSource;
  readonly #clock: Clock;
  readonly #breakerConfig: BreakerConfig | null;
  readonly #log: Logger;
  readonly #states = new Map<string, ProviderState>();
  #seenVersion = -1;

  constructor({ providers, clock, breakerConfig, log }: ProviderStatesDeps) {
    this.#source = providers;
    this.#clock = clock;
    this.#breakerConfig = breakerConfig;
    this.#log = log;
  }

  stateOf(provider: GatewayProvider, snapshot: ProviderSnapshot): ProviderState {
    if (snapshot.version > this.#seenVersion) this.#follow(snapshot);
    const known = this.#states.get(provider.id);
    if (known !== undefined) return known;
    const state = {
      keys: new KeyPool(this.#clock),
      breakers: this.#makeBreakers(provider.name),
    };
    this.#states.set(provider.id, state);
    return state;
  }

  /** The providers of the latest snapshot, called or not. */
  all(): readonly ProviderReport[] {
    return [...this.#source.current().providers.values()].map((provider) => ({
      name: provider.name,
      keys: this.#healthOf(provider),
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

  resetKey(providerId: string, keyId: string): void {
    this.#states.get(providerId)?.keys.reset(keyId);
  }

  #makeBreakers(provider: string): BreakerSet | null {
    if (this.#breakerConfig === null) return null;
    const onChange = (change: BreakerStateChange): void => {
      this.#log.info({ provider, ...change }, "circuit breaker state change");
    };
    return new BreakerSet(this.#breakerConfig, this.#clock, onChange);
  }

  #healthOf({ id, keys }: GatewayProvider): readonly ProviderKeyHealth[] {
    const pool = this.#states.get(id)?.keys ?? new KeyPool(this.#clock);
    return keys.map((key) => pool.health(key.id));
  }

  #follow(snapshot: ProviderSnapshot): void {
    this.#seenVersion = snapshot.version;
    const keysOf = new Map([...snapshot.providers.values()].map(({ id, keys }) => [id, keys]));
    for (const [id, state] of this.#states) {
      const keys = keysOf.get(id);
      if (keys === undefined) this.#states.delete(id);
      else state.keys.keepOnly(keys);
    }
  }
}
