/**
 * What this process has learned of each provider: how its keys do, and which of its models are in
 * trouble. Shared by all callers, and kept across reloads for as long as the provider exists.
 */
import type { Clock } from "@atelier/base/clock";
import type {
  BreakerHealth,
  GatewayHealth,
  GatewayProvider,
  ProviderKeyHealth,
  ProviderSnapshot,
  ProviderSource,
} from "@atelier/contract/rpc/gateway-ports";
import { BreakerSet } from "../breaker/breaker-set.ts";
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
};

export class ProviderStates implements GatewayHealth {
  readonly #source: ProviderSource;
  readonly #clock: Clock;
  readonly #breakerConfig: BreakerConfig | null;
  readonly #states = new Map<string, ProviderState>();
  #seenVersion = -1;

  constructor(source: ProviderSource, clock: Clock, breakerConfig: BreakerConfig | null) {
    this.#source = source;
    this.#clock = clock;
    this.#breakerConfig = breakerConfig;
  }

  stateOf(provider: GatewayProvider, snapshot: ProviderSnapshot): ProviderState {
    if (snapshot.version > this.#seenVersion) this.#follow(snapshot);
    const known = this.#states.get(provider.id);
    if (known !== undefined) return known;
    const state = {
      keys: new KeyPool(this.#clock),
      breakers:
        this.#breakerConfig === null ? null : new BreakerSet(this.#breakerConfig, this.#clock),
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
