/**
 * What the first gateway of a server does for one in another thread: it gives slots of keys out of its own
 * queues, and checks keys that were refused. Once that thread is no more, what it held and waited for is
 * given back.
 */
import type { KeySlot, SlotTurn } from "../keys/key-slots.ts";
import type { SlotAnswer, SlotAsk } from "../keys/slot-desk-elsewhere.ts";
import type { KeyChecks } from "./key-checks.ts";
import type { ProviderStates } from "./provider-states.ts";

/** Survives a structured clone. */
export type RefusedKeyIds = { readonly providerId: string; readonly keyId: string };

export class MemberDesk implements Disposable {
  readonly #states: Pick<ProviderStates, "find">;
  readonly #keyChecks: Pick<KeyChecks, "refused">;
  readonly #held = new Map<number, KeySlot>();
  readonly #waiting = new Map<number, () => void>();
  #isClosed = false;

  constructor(states: Pick<ProviderStates, "find">, keyChecks: Pick<KeyChecks, "refused">) {
    this.#states = states;
    this.#keyChecks = keyChecks;
  }

  /** Answers "none" to whoever leaves, too. */
  claim({ id, providerId, userId, keyIds, tried, takesResting }: SlotAsk): Promise<SlotAnswer> {
    const found = this.#states.find(providerId);
    // The provider is gone meanwhile: so are its keys.
    if (found === null || this.#isClosed) return Promise.resolve({ kind: "none" });
    const { promise, resolve } = Promise.withResolvers<SlotAnswer>();
    const left = new AbortController();
    this.#waiting.set(id, () => {
      left.abort(LEFT);
      resolve({ kind: "none" });
    });
    const { keys } = found.provider;
    const asked = new Set(keyIds);
    found.state.slots.ask({
      ...{ userId, takesResting, tried: new Set(tried) },
      // Nearly always all of them: one list for all who wait.
      keys: keys.every((key) => asked.has(key.id)) ? keys : keys.filter((key) => asked.has(key.id)),
      signal: () => left.signal,
      onTurn: (turn) => {
        this.#waiting.delete(id);
        resolve(this.#answerOf(turn, id));
      },
    });
    return promise;
  }

  leave(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
    this.#held.get(id)?.release();
    this.#held.delete(id);
  }

  /** Once for each refusal, right after it was noted. */
  keyRefused({ providerId, keyId }: RefusedKeyIds): void {
    const found = this.#states.find(providerId);
    const key = found?.provider.keys.find(({ id }) => id === keyId);
    if (found === null || key === undefined) return;
    this.#keyChecks.refused({ provider: found.provider, key, pool: found.state.keys });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    // Those who wait first: what is released is for others.
    for (const leave of this.#waiting.values()) leave();
    this.#waiting.clear();
    for (const slot of this.#held.values()) slot.release();
    this.#held.clear();
  }

  #answerOf(turn: SlotTurn, id: number): SlotAnswer {
    if (turn.kind !== "slot") return turn;
    this.#held.set(id, turn.slot);
    return { kind: "slot", keyId: turn.key.id, waitedMs: turn.waitedMs };
  }
}

/** Made once: what wakes from it looks at nothing. */
const LEFT = new Error("nobody waits for the slot any more");
