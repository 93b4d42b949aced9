/**
 * What this server has read of histories lately, so that Postgres sends only what has changed since: pure.
 *
 * It is never believed by itself. Each reading says which version is known already, and is answered of one
 * moment with all rows that became others behind it; where that is not enough, with all of them.
 */
import type { ChatRow, StoredMessage } from "./chat-row.ts";

export type KnownHistory = {
  /** `history_version`: no row of a later revision is known. */
  readonly version: number;
  /** All are known that are not deleted from this id on, and all that the system says. */
  readonly firstId: number;
  readonly messages: readonly StoredMessage[];
  /** The chat as it was read with them. Null: without what is read beside a chat. */
  readonly read: LastRead | null;
  /** What this server has added since: a guess at what comes next, and never believed. */
  readonly written: readonly StoredMessage[];
  /** At least what it is as JSON. */
  readonly chars: number;
};

export type LastRead = { readonly chat: ChatRow; readonly beside: TextBeside };

/** What a statement read beside a chat, and what it says. The same text has the same value. */
export type TextBeside = { readonly text: string | null; readonly value: unknown };

/** What is in memory is some three times as much. */
const CHARS_MAX = 8_000_000;
/** So that one long chat does not push out all others. */
const CHARS_OF_ONE_MAX = CHARS_MAX / 4;
const CHATS_MAX = 100;

export class ReadHistories {
  /** The one that was read last is the last. */
  readonly #known = new Map<string, KnownHistory>();
  #chars = 0;

  get(chatId: string): KnownHistory | undefined {
    return this.#known.get(chatId);
  }

  keep(chatId: string, history: KnownHistory): void {
    this.#forget(chatId);
    if (history.chars > CHARS_OF_ONE_MAX) return;
    this.#known.set(chatId, history);
    this.#chars += history.chars;
    for (const oldest of this.#known.keys()) {
      if (this.#chars <= CHARS_MAX && this.#known.size <= CHATS_MAX) break;
      this.#forget(oldest);
    }
  }

  /** `messages` became part of a history whose version was this before. */
  written(chatId: string, version: number, messages: readonly StoredMessage[]): void {
    const known = this.#known.get(chatId);
    if (known?.version !== version || messages.length === 0) return;
    const chars = known.chars + JSON.stringify(messages).length;
    this.keep(chatId, { ...known, written: messages, chars });
  }

  #forget(chatId: string): void {
    this.#chars -= this.#known.get(chatId)?.chars ?? 0;
    this.#known.delete(chatId);
  }
}

/** `changed`: rows of a later revision than what is known, deleted ones among them. */
export function withChanges(
  known: readonly StoredMessage[],
  changed: readonly StoredMessage[],
  firstId: number,
): readonly StoredMessage[] {
  const ids = new Set(changed.map(({ id }) => id));
  return [...known.filter(({ id }) => !ids.has(id)), ...changed]
    .filter(({ id, role, deleted }) => !deleted && (role === "system" || id >= firstId))
    .toSorted((a, b) => a.id - b.id);
}
