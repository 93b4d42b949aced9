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
import { OwnSlotDesk, type SlotDesk } from "../keys/slot-desk.ts";
import { SlotDeskElsewhere, type SlotGiver } from "../keys/slot-desk-elsewhere.ts";
import type { Notebook } from "../shared/note.ts";
import { breakerNotes, keyNotes } from "../shared/note-names.ts";

export type ProviderState = {
  readonly keys: KeyPool;
  readonly slots: SlotDesk;
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
  /** The thread whose queues serve this one, too. Null: this thread has queues of its own. */
  readonly slotGiver: SlotGiver | null;
  readonly keyChecks: Pick<KeyChecks, "lastCheckedAt" | "forget">;
  /** Where it is noted: shared with the server's other threads, if there are any. */
  readonly notebook: Notebook;
};

export class ProviderStates implements GatewayHealth {
  readonly #source: ProviderSource;
  readonly #clock: Clock;
  readonly #breakerConfig: BreakerConfig | null;
  readonly #log: Logger;
  readonly #keyQueue: KeyQueueLimits;
  readonly #slotGiver: SlotGiver | null;
  readonly #keyChecks: ProviderStatesDeps["keyChecks"];
  readonly #notebook: Notebook;
  readonly #states = new Map<string, ProviderState>();
  #seenVersion = -1;

  constructor(deps: ProviderStatesDeps) {
    const { providers, clock, breakerConfig, keyQueue, slotGiver, keyChecks, log, notebook } = deps;
    this.#source = providers;
    this.#clock = clock;
    this.#breakerConfig = breakerConfig;
    this.#keyQueue = keyQueue;
    this.#slotGiver = slotGiver;
    this.#keyChecks = keyChecks;
    this.#log = log;
    this.#notebook = notebook;
  }

  stateOf(provider: GatewayProvider, snapshot: ProviderSnapshot): ProviderState {
    if (snapshot.version > this.#seenVersion) this.#follow(snapshot);
    return this.#stateOf(provider);
  }

  /** As it is now. Null: there is none. */
  find(
    providerId: string,
  ): { readonly provider: GatewayProvider; readonly state: ProviderState } | null {
    this.#followLatest();
    const provider = this.#providerOf(providerId);
    return provider === null ? null : { provider, state: this.#stateOf(provider) };
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
    const provider = this.#providerOf(providerId);
    return provider === null ? [] : this.#healthOf(provider);
  }

  breakersOf(providerId: string): ReturnType<GatewayHealth["breakersOf"]> {
    const provider = this.#providerOf(providerId);
    return provider === null ? [] : (this.#stateOf(provider).breakers?.health() ?? []);
  }

  waitingOf(providerId: string): number {
    return this.#states.get(providerId)?.slots.waiting ?? 0;
  }

  resetKey(providerId: string, keyId: string): void {
    this.#keyChecks.forget(keyId);
    const provider = this.#providerOf(providerId);
    if (provider !== null) this.#stateOf(provider).keys.reset(keyId);
  }

  #providerOf(providerId: string): GatewayProvider | null {
    const providers = this.#source.current().providers.values();
    return providers.find(({ id }) => id === providerId) ?? null;
  }

  #stateOf({ id, name, keyConcurrencyMax }: GatewayProvider): ProviderState {
    const known = this.#states.get(id);
    if (known !== undefined) return known;
    const keys = new KeyPool(this.#clock, this.#notebook, keyNotes(id));
    const state = {
      keys,
      slots: this.#makeSlots(id, keys),
      breakers: this.#makeBreakers(id, name),
    };
    state.slots.limitTo(keyConcurrencyMax);
    this.#states.set(id, state);
    return state;
  }

  #makeSlots(id: string, keys: KeyPool): SlotDesk {
    if (this.#slotGiver !== null) return new SlotDeskElsewhere(this.#slotGiver, id);
    // A limit that was raised meanwhile helps those who wait, also when nobody else calls.
    const onTick = (): void => this.#followLatest();
    return new OwnSlotDesk(new KeySlots(this.#clock, this.#keyQueue, onTick), keys);
  }

  #makeBreakers(id: string, provider: string): BreakerSet | null {
    if (this.#breakerConfig === null) return null;
    const onChange = (change: BreakerStateChange): void => {
      this.#log.info({ provider, ...change }, "circuit breaker state change");
    };
    return new BreakerSet({
      config: this.#breakerConfig,
      clock: this.#clock,
      onChange,
      notebook: this.#notebook,
      notesPrefix: breakerNotes(id),
    });
  }

  #healthOf(provider: GatewayProvider): readonly ProviderKeyHealth[] {
    const { keys, slots } = this.#stateOf(provider);
    const unused = provider.keyConcurrencyMax === null ? null : 0;
    return provider.keys.map(({ id }) => ({
      ...keys.health(id),
      lastCheckedAt: this.#keyChecks.lastCheckedAt(id),
      underWay: slots.takenOf(id) ?? unused,
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
        state.keys.keepOnly([]);
        state.breakers?.forgetAll();
        this.#states.delete(id);
        continue;
      }
      state.keys.keepOnly(provider.keys);
      state.slots.limitTo(provider.keyConcurrencyMax);
    }
  }
}
