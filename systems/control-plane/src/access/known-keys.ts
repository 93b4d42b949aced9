/**
 * What keys were when a request about a chat was let in, so that the next one can go on before anybody has looked
 * again: that nothing has changed is then a condition of what it does.
 */
import { LRUCache } from "lru-cache";

/**
 * What a key is, with its user and a chat as they find it. `facts` is all of it that decides about requests, as
 * one text: while it is the same, so is every decision at the same time.
 */
export type KeyAtChat = { readonly facts: string; readonly lastUsedAt: Date | null };

/** Half a kilobyte each. The least recent are forgotten: they are looked up as if nobody knew them. */
const KNOWN_MAX = 10_000;

export class KnownKeys {
  readonly #known = new LRUCache<string, KeyAtChat>({ max: KNOWN_MAX });

  get(keyId: string, chatId: string): KeyAtChat | undefined {
    return this.#known.get(nameOf(keyId, chatId));
  }

  keep(keyId: string, chatId: string, found: KeyAtChat): void {
    this.#known.set(nameOf(keyId, chatId), found);
  }

  forget(keyId: string, chatId: string): void {
    this.#known.delete(nameOf(keyId, chatId));
  }
}

/** Ids of keys are letters and digits. */
function nameOf(keyId: string, chatId: string): string {
  return `${keyId} ${chatId}`;
}
