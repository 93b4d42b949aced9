/**
 * News of one person's chats, for lists that are open somewhere. A viewer that is slow is told the
 * latest of each chat, not everything in between.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { CHAT_NEWS_KINDS, type ChatNewsKind } from "@atelier/contract/http/chat-sockets";
import type { Chat } from "@atelier/contract/http/chats";
import type { PubSub } from "@atelier/database/pub-sub";
import { chatWatchChannel } from "../state/chat-machine.ts";

export type ChatNews =
  /** What happened before is in the list of chats. Comes again when news may have been missed. */
  | { readonly kind: "ready" }
  | { readonly kind: Exclude<ChatNewsKind, "deleted">; readonly chat: Chat }
  | { readonly kind: "deleted"; readonly chat: { readonly id: string } };

export type ChatNewsDeps = {
  readonly pubSub: PubSub;
  readonly clock: Clock;
  readonly log: Logger;
  /** Those of the ids that are there, of one person. */
  readonly showChats: (chatIds: readonly string[]) => Promise<readonly Chat[]>;
};

export interface ChatNewsWatch {
  /** Until the signal aborts. `send` resolves when the viewer can take more. */
  watch(
    ownerId: string,
    send: (news: ChatNews) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Chats that are read together. */
const BATCH_MAX = 50;
/** What chats do while they work is read for a viewer this often at most. */
const MOVES_EVERY_MS = 1_000;

export function chatNewsWatch(deps: ChatNewsDeps): ChatNewsWatch {
  return {
    watch: async (ownerId, send, signal) => {
      const inbox = new NewsInbox(deps.clock);
      const stop = (): void => inbox.wake();
      signal.addEventListener("abort", stop);
      using _subscription = deps.pubSub.subscribe(chatWatchChannel(ownerId), {
        message: (payload) => inbox.take(payload),
        resync: () => inbox.beginAnew(),
      });
      try {
        while (!signal.aborted) {
          if (inbox.isFresh) {
            inbox.forget();
            await send({ kind: "ready" });
            continue;
          }
          const batch = inbox.next();
          if (batch.length === 0) await inbox.untilMore(signal);
          for (const news of await readNews(deps, batch)) await send(news);
        }
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
  };
}

type Pending = { readonly kind: ChatNewsKind; readonly chatId: string };

/** What one viewer has not been told yet: of each kind and chat the latest only. */
class NewsInbox {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  /** Chats that moved on; what else is told of them says it, too. */
  readonly #moved = new Set<string>();
  #movesFromMs = 0;
  #wake: () => void = () => {};
  isFresh = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(payload: string): void {
    for (const news of parseNews(payload)) {
      if (news.kind === MOVES) this.#moved.add(news.chatId);
      else this.#pending.set(`${news.kind} ${news.chatId}`, news);
    }
    this.wake();
  }

  /** News may have been missed. */
  beginAnew(): void {
    this.isFresh = true;
    this.wake();
  }

  forget(): void {
    this.isFresh = false;
    this.#pending.clear();
    this.#moved.clear();
  }

  wake(): void {
    this.#wake();
  }

  /** What is to be told now, of at most BATCH_MAX chats. */
  next(): readonly Pending[] {
    const batch: Pending[] = [];
    const chatIds = new Set<string>();
    for (const [key, news] of this.#pending) {
      if (chatIds.size >= BATCH_MAX) return batch;
      this.#pending.delete(key);
      this.#moved.delete(news.chatId);
      chatIds.add(news.chatId);
      batch.push(news);
    }
    if (this.#moved.size === 0 || this.#movesInMs() > 0) return batch;
    this.#movesFromMs = this.#clock.monotonicMs() + MOVES_EVERY_MS;
    for (const chatId of this.#moved) {
      if (batch.length >= BATCH_MAX) break;
      this.#moved.delete(chatId);
      batch.push({ kind: MOVES, chatId });
    }
    return batch;
  }

  /** Resolves when something came, or moves may be told again. */
  async untilMore(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const isWoken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#moved.size === 0) return isWoken;
    const later = this.#clock.sleep(this.#movesInMs(), woken.signal).catch(() => {});
    if (!signal.aborted) await Promise.race([isWoken, later]);
    woken.abort();
  }

  #movesInMs(): number {
    return Math.max(0, this.#movesFromMs - this.#clock.monotonicMs());
  }
}

const MOVES: ChatNewsKind = "action_change";

async function readNews(
  { showChats }: ChatNewsDeps,
  batch: readonly Pending[],
): Promise<readonly ChatNews[]> {
  const alive = batch.filter(({ kind }) => kind !== "deleted");
  const chatIds = [...new Set(alive.map(({ chatId }) => chatId))];
  const chats = chatIds.length === 0 ? [] : await showChats(chatIds);
  const byId = new Map(chats.map((chat) => [chat.id, chat]));
  return batch.flatMap(({ kind, chatId }): ChatNews[] => {
    if (kind === "deleted") return [{ kind, chat: { id: chatId } }];
    const chat = byId.get(chatId);
    // Gone since: the news of that comes, too.
    return chat === undefined ? [] : [{ kind, chat }];
  });
}

function parseNews(payload: string): readonly Pending[] {
  try {
    const { kind, ...about } = JSON.parse(payload) as Record<string, unknown>;
    const known = CHAT_NEWS_KINDS.find((name) => name === kind);
    const { chat_id: chatId, chat_ids: chatIds = [chatId] } = about;
    if (known === undefined || !Array.isArray(chatIds)) return [];
    return chatIds
      .filter((id) => typeof id === "string")
      .map((id) => ({ kind: known, chatId: id }));
  } catch {
    return [];
  }
}
