/**
 * What this server has read of histories lately, so that Postgres sends only what has changed since: pure.
 *
 * It is never believed by itself. Each reading says which version is known already, and is answered of one
 * moment with all rows that became others behind it; where that is not enough, with all of them. Where a chat's
 * history still has the version that this server left it with, there are none.
 */
import { isBoundary, isOfPerson } from "../messages/history-message.ts";
import { openToolCalls } from "../messages/open-tool-calls.ts";
import type { ChatRow, StoredMessage } from "./chat-row.ts";
import { isAtWork } from "./execution-state.ts";

export type KnownHistory = {
  /** `history_version`: no row of a later revision is known. */
  readonly version: number;
  /** All are known that are not deleted from this id on, and all that the system says. */
  readonly firstId: number;
  readonly messages: readonly StoredMessage[];
  /** The chat as it was read with them. Null: without what is read beside a chat. */
  readonly read: LastRead | null;
  /** How this server has left it since. Null: not at rest, or in a way that says little of its history. */
  readonly rest: LeftAtRest | null;
  /** At least what it is as JSON. */
  readonly chars: number;
};

/** No call is open in it, and no boundary in it is newer than what is known from. */
export type LeftAtRest = {
  /** While the history has this version, it is what was known and what was written. */
  readonly historyVersion: number;
  readonly written: readonly StoredMessage[];
};

/** A chat before and after what this server made of it, and all that was added to its history. */
export type OwnChange = {
  readonly before: ChatRow;
  readonly after: ChatRow;
  readonly written: readonly StoredMessage[];
  /** Nothing else became of its history. */
  readonly isAdded: boolean;
};

export type LastRead = { readonly chat: ChatRow; readonly beside: TextBeside };

/** What a statement read beside a chat, and what it says. The same text has the same value. */
export type TextBeside = {
  readonly text: string | null;
  /** As `ReadBeside` has it. */
  readonly version: string;
  readonly value: unknown;
};

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

  /** The first one behind a reading says how the chat was left; of what follows it, the next reading tells. */
  changed(change: OwnChange): void {
    const { before, after, written } = change;
    const { historyVersion } = after;
    const known = this.#known.get(after.id);
    if (known === undefined) return;
    const isNext = known.version === before.historyVersion;
    const rest = isNext && isLeftAtRest(known, change) ? { historyVersion, written } : null;
    const added = rest === null || written.length === 0 ? 0 : JSON.stringify(written).length;
    this.keep(after.id, { ...known, rest, chars: known.chars + added });
  }

  #forget(chatId: string): void {
    this.#chars -= this.#known.get(chatId)?.chars ?? 0;
    this.#known.delete(chatId);
  }
}

function isLeftAtRest({ firstId, messages }: KnownHistory, change: OwnChange): boolean {
  const { after, written, isAdded } = change;
  if (!isAdded || isAtWork(after.status) || after.archived || after.queueLength > 0) return false;
  const all = [...messages, ...written];
  const isCut = all.some((row) => row.id > firstId && isBoundary(row));
  // What a person wrote has closed all calls before it.
  const sincePerson = all.slice(all.findLastIndex(isOfPerson) + 1);
  return !isCut && openToolCalls(sincePerson).length === 0;
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
