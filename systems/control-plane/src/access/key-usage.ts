/**
 * When credentials were last used, collected in memory and written now and then: reads stay reads,
 * also at thousands of gateway requests a second. A crash loses at most the last interval.
 */
import { assert } from "@atelier/base/assert";

export type KeyUse = { readonly keyId: string; readonly userId: string; readonly usedAt: Date };

/** More distinct keys than this within one interval: the rest is not noted. */
const KEYS_MAX = 100_000;

export class KeyUsage {
  #uses = new Map<string, KeyUse>();

  note(use: KeyUse): void {
    if (this.#uses.size < KEYS_MAX || this.#uses.has(use.keyId)) this.#uses.set(use.keyId, use);
  }

  /** Everything noted since the last call. */
  take(): readonly KeyUse[] {
    const uses = [...this.#uses.values()];
    assert(uses.length <= KEYS_MAX, "uses are bounded");
    this.#uses = new Map();
    return uses;
  }

  /** Takes back what could not be written. Later uses win. */
  putBack(uses: readonly KeyUse[]): void {
    for (const use of uses) if (!this.#uses.has(use.keyId)) this.note(use);
  }
}
