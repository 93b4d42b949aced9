/**
 * The slots of one provider's keys where another thread of the server gives them. Whoever leaves while the
 * answer is on its way holds nothing: leaving a claim gives back what it got.
 */
import type { SlotTurn } from "./key-slots.ts";
import type { SlotDesk, SlotWish } from "./slot-desk.ts";

/** Survives a structured clone, as its answer does. */
export type SlotAsk = {
  /** Of all that this thread asks. */
  readonly id: number;
  readonly providerId: string;
  readonly userId: string;
  readonly keyIds: readonly string[];
  readonly tried: readonly string[];
  readonly takesResting: boolean;
};

export type SlotAnswer =
  | { readonly kind: "slot"; readonly keyId: string; readonly waitedMs: number | null }
  | Exclude<SlotTurn, { kind: "slot" }>;

/** The thread that gives them. */
export interface SlotGiver {
  newId(): number;
  /** Answers when its turn comes. Rejects only when that thread is gone. */
  claim(ask: SlotAsk): Promise<SlotAnswer>;
  /** It does not wait any more, or its slot is free again. */
  leave(id: number): void;
}

export class SlotDeskElsewhere implements SlotDesk {
  readonly waiting = 0;
  readonly #giver: SlotGiver;
  readonly #providerId: string;
  #max: number | null = null;

  constructor(giver: SlotGiver, providerId: string) {
    this.#giver = giver;
    this.#providerId = providerId;
  }

  get max(): number | null {
    return this.#max;
  }

  takenOf(): null {
    return null;
  }

  limitTo(max: number | null): void {
    this.#max = max;
  }

  ask(wish: SlotWish): void {
    const giver = this.#giver;
    const id = giver.newId();
    const { userId, keys, tried, takesResting } = wish;
    const left = wish.signal();
    if (left.aborted) return;
    const over = new AbortController();
    left.addEventListener("abort", () => giver.leave(id), { signal: over.signal });
    const claimed = giver.claim({
      ...{ id, userId, takesResting, providerId: this.#providerId },
      keyIds: keys.map((key) => key.id),
      tried: [...tried],
    });
    claimed.then(
      (answer) => {
        over.abort(ANSWERED);
        if (!left.aborted) wish.onTurn(this.#turnOf(answer, id, wish));
      },
      () => {
        over.abort(ANSWERED);
        if (!left.aborted) wish.onTurn({ kind: "refused", reason: "queue_timeout" });
      },
    );
  }

  #turnOf(answer: SlotAnswer, id: number, { keys }: SlotWish): SlotTurn {
    if (answer.kind !== "slot") return answer;
    const key = keys.find((each) => each.id === answer.keyId);
    if (key === undefined) throw new Error("a slot is of one of the keys that were asked for");
    let isOut = true;
    const release = (): void => {
      if (isOut) this.#giver.leave(id);
      isOut = false;
    };
    return { kind: "slot", key, slot: { release }, waitedMs: answer.waitedMs };
  }
}

/** Made once: what wakes from it looks at nothing. */
const ANSWERED = new Error("the claim was answered");
