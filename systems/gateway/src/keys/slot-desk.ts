/**
 * Where calls get the slots of one provider's keys: from a queue in this thread, or from the queue of
 * another thread, which keeps one for all gateways of the server. Either way there is one queue, so limits
 * are exact and people take turns over all threads.
 */
import type { ProviderKey } from "@atelier/contract/rpc/gateway-ports";
import type { KeyPool } from "./key-pool.ts";
import type { KeySlots, SlotClaim } from "./key-slots.ts";

/** Which keys a call would use now. It does not change while the call waits. */
export type KeyChoice = {
  readonly tried: ReadonlySet<string>;
  /** Whether a key that rests for faults will do where no better one is left. */
  readonly takesResting: boolean;
};

export type SlotWish = Omit<SlotClaim, "usableKeys"> & KeyChoice;

export interface SlotDesk {
  /** Of each key. Null: no limit, nobody need ask. */
  readonly max: number | null;
  /** Calls that wait now. 0 where another thread counts them. */
  readonly waiting: number;
  /** Slots of this key that are out. Null: they are not counted here. */
  takenOf(keyId: string): number | null;
  limitTo(max: number | null): void;
  /** `onTurn` may be called at once. */
  ask(wish: SlotWish): void;
}

export class OwnSlotDesk implements SlotDesk {
  readonly #slots: KeySlots;
  readonly #pool: KeyPool;

  constructor(slots: KeySlots, pool: KeyPool) {
    this.#slots = slots;
    this.#pool = pool;
  }

  get max(): number | null {
    return this.#slots.max;
  }

  get waiting(): number {
    return this.#slots.waiting;
  }

  takenOf(keyId: string): number | null {
    return this.#slots.takenOf(keyId);
  }

  limitTo(max: number | null): void {
    this.#slots.limitTo(max);
  }

  ask(wish: SlotWish): void {
    this.#slots.claim({ ...wish, usableKeys: () => usableKeys(this.#pool, wish.keys, wish) });
  }
}

function usableKeys(
  pool: KeyPool,
  keys: readonly ProviderKey[],
  { tried, takesResting }: KeyChoice,
): readonly ProviderKey[] {
  const usable = keys.filter(({ id }) => !tried.has(id) && pool.state(id) === "valid");
  if (usable.length > 0 || !takesResting) return usable;
  const key = pool.lastResort(keys, tried);
  return key === null ? [] : [key];
}
