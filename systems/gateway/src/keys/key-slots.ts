/**
 * How many calls each key of one model provider serves at the same time, and who comes next where all
 * of its keys are busy.
 *
 * Callers take turns, so one with a hundred waiting calls holds nobody else's first one up; the calls
 * of one caller keep their order. Nobody overtakes: a call that arrives gets a slot only if nobody who
 * waits could use it. The queue has a length and a time. When it is full it is shared evenly: whoever
 * has most waiting gives up their latest place for a caller who has fewer.
 *
 * Without a limit nothing is counted: a call that began before the limit was set holds no slot.
 */
import type { Clock } from "@atelier/base/clock";
import type { ProviderKey } from "@atelier/contract/rpc/gateway-ports";

export type KeyQueueLimits = {
  /** Calls that may wait for one provider. 0: none does. */
  readonly lengthMax: number;
  /** Longest wait of one call. 0: none does. */
  readonly msMax: number;
};

export type SlotTurn =
  | {
      readonly kind: "slot";
      readonly key: ProviderKey;
      readonly slot: KeySlot;
      /** Null: it did not have to wait. */
      readonly waitedMs: number | null;
    }
  /** None of its keys is worth trying any more, busy or not. */
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly reason: "queue_full" | "queue_timeout" };

export type SlotClaim = {
  readonly userId: string;
  /** All that the call could ever use. */
  readonly keys: readonly ProviderKey[];
  /** Those of them that it would try now, the preferred one first. */
  usableKeys(): readonly ProviderKey[];
  /** Aborted when nobody waits for the call any more. Asked for only if it has to wait. */
  signal(): AbortSignal;
  /** Called once, perhaps at once; not at all after the signal. */
  onTurn(turn: SlotTurn): void;
};

/** The right to one call at a time with one key. */
export interface KeySlot {
  /** As soon as the provider has done its work. More than once is once. */
  release(): void;
}

/** Keys become usable also where no slot is released: a rest ends, a limit is raised. */
export const QUEUE_TICK_MS = 200;

type Waiter = SlotClaim & { readonly sinceMs: number; readonly over: AbortController };

export class KeySlots {
  readonly #clock: Clock;
  readonly #queue: KeyQueueLimits;
  readonly #onTick: () => void;
  readonly #taken = new Map<string, number>();
  /** By caller; the caller whose turn it is stands first. */
  readonly #waiters = new Map<string, Waiter[]>();
  #max: number | null = null;
  #waiting = 0;
  #ticking: AbortController | null = null;
  #isServing = false;
  #mustServeAgain = false;

  constructor(clock: Clock, queue: KeyQueueLimits, onTick: () => void = () => {}) {
    this.#clock = clock;
    this.#queue = queue;
    this.#onTick = onTick;
  }

  /** Of each key. Null: no limit. */
  get max(): number | null {
    return this.#max;
  }

  /** Calls that wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Slots of this key that are out. Null: they are not counted. */
  takenOf(keyId: string): number | null {
    return this.#max === null ? null : (this.#taken.get(keyId) ?? 0);
  }

  limitTo(max: number | null): void {
    if (max === this.#max) return;
    this.#max = max;
    this.#serve();
  }

  claim(claim: SlotClaim): void {
    if (this.#waiting > 0) this.#serve();
    const usable = claim.usableKeys();
    if (usable.length === 0) {
      claim.onTurn({ kind: "none" });
      return;
    }
    // While others are being served, their turn is not over.
    const mayTake = this.#waiting === 0 || !this.#isServing;
    const key = mayTake ? usable.find(({ id }) => this.#hasRoom(id)) : undefined;
    if (key !== undefined) {
      claim.onTurn({ kind: "slot", key, slot: this.#take(key.id), waitedMs: null });
    } else if (this.#makePlaceFor(claim.userId)) {
      this.#enqueue(claim);
    } else {
      claim.onTurn({ kind: "refused", reason: "queue_full" });
    }
  }

  #hasRoom(keyId: string): boolean {
    return this.#max === null || (this.#taken.get(keyId) ?? 0) < this.#max;
  }

  #take(keyId: string): KeySlot {
    this.#taken.set(keyId, (this.#taken.get(keyId) ?? 0) + 1);
    let isOut = true;
    return {
      release: () => {
        if (!isOut) return;
        isOut = false;
        const left = (this.#taken.get(keyId) ?? 1) - 1;
        if (left > 0) this.#taken.set(keyId, left);
        else this.#taken.delete(keyId);
        if (this.#waiting > 0) this.#serve();
      },
    };
  }

  /** False: the queue is full, and nobody has more places in it than this caller would have. */
  #makePlaceFor(userId: string): boolean {
    const { lengthMax, msMax } = this.#queue;
    if (lengthMax === 0 || msMax === 0) return false;
    if (this.#waiting < lengthMax) return true;
    const own = this.#waiters.get(userId)?.length ?? 0;
    let most: readonly Waiter[] = [];
    for (const waiters of this.#waiters.values()) if (waiters.length > most.length) most = waiters;
    const last = most.at(-1);
    if (last === undefined || most.length <= own + 1) return false;
    this.#drop(last);
    last.onTurn({ kind: "refused", reason: "queue_full" });
    return true;
  }

  #enqueue(claim: SlotClaim): void {
    const over = new AbortController();
    const waiter: Waiter = {
      userId: claim.userId,
      keys: claim.keys,
      usableKeys: () => claim.usableKeys(),
      signal: () => claim.signal(),
      onTurn: (turn) => claim.onTurn(turn),
      sinceMs: this.#clock.monotonicMs(),
      over,
    };
    const waiters = this.#waiters.get(claim.userId);
    if (waiters === undefined) this.#waiters.set(claim.userId, [waiter]);
    else waiters.push(waiter);
    this.#waiting += 1;
    const left = claim.signal();
    if (left.aborted) this.#drop(waiter);
    else left.addEventListener("abort", () => this.#drop(waiter), { signal: over.signal });
    this.#clock.sleep(this.#queue.msMax, over.signal).then(
      () => {
        if (!this.#drop(waiter)) return;
        waiter.onTurn({ kind: "refused", reason: "queue_timeout" });
      },
      () => {}, // Its turn came, or nobody waits for it.
    );
    this.#startTicking();
  }

  /** False: it does not wait any more. */
  #drop(waiter: Waiter): boolean {
    const waiters = this.#waiters.get(waiter.userId) ?? [];
    const at = waiters.indexOf(waiter);
    if (at === -1) return false;
    waiters.splice(at, 1);
    if (waiters.length === 0) this.#waiters.delete(waiter.userId);
    this.#waiting -= 1;
    waiter.over.abort(DROPPED);
    if (this.#waiting === 0) {
      this.#ticking?.abort(DROPPED);
      this.#ticking = null;
    }
    return true;
  }

  /** What a turn sets off can release, claim and leave: that is served after it, not inside it. */
  #serve(): void {
    this.#mustServeAgain = true;
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      while (this.#mustServeAgain && this.#waiting > 0) {
        this.#mustServeAgain = false;
        const served = this.#nextServed();
        if (served === null) continue;
        this.#mustServeAgain = true;
        served.waiter.onTurn(served.turn);
      }
    } finally {
      this.#isServing = false;
    }
  }

  /** Taken out of the queue, with its slot taken. */
  #nextServed(): { readonly waiter: Waiter; readonly turn: SlotTurn } | null {
    const busy = new Set<readonly ProviderKey[]>();
    for (const waiters of this.#waiters.values()) {
      for (const waiter of waiters) {
        // Nearly all share one list of keys, and nearly always all of those are busy.
        if (busy.has(waiter.keys)) continue;
        if (!waiter.keys.some(({ id }) => this.#hasRoom(id))) {
          busy.add(waiter.keys);
          continue;
        }
        const usable = waiter.usableKeys();
        const key = usable.find(({ id }) => this.#hasRoom(id));
        if (usable.length > 0 && key === undefined) continue;
        this.#drop(waiter);
        if (key === undefined) return { waiter, turn: { kind: "none" } };
        this.#moveToEnd(waiter.userId);
        const waitedMs = this.#clock.monotonicMs() - waiter.sinceMs;
        return { waiter, turn: { kind: "slot", key, slot: this.#take(key.id), waitedMs } };
      }
    }
    return null;
  }

  #moveToEnd(userId: string): void {
    const waiters = this.#waiters.get(userId);
    if (waiters === undefined) return;
    this.#waiters.delete(userId);
    this.#waiters.set(userId, waiters);
  }

  #startTicking(): void {
    if (this.#ticking !== null || this.#waiting === 0) return;
    this.#ticking = new AbortController();
    this.#tick(this.#ticking.signal);
  }

  #tick(signal: AbortSignal): void {
    this.#clock.sleep(QUEUE_TICK_MS, signal).then(
      () => {
        this.#onTick();
        this.#serve();
        if (!signal.aborted) this.#tick(signal);
      },
      () => {}, // Nobody waits any more.
    );
  }
}

/** Made once: what wakes from it looks at nothing. */
const DROPPED = new Error("the wait is over");
