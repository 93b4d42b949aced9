/**
 * Lets lists of chats follow what chats do while they work. However many chats of this server move, there
 * is one statement in each FLUSH_EVERY_MS, and none while none does; steps of turns only add to a set.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import { publishMoves } from "./chat-moves-store.ts";

export type ChatMovesDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
};

const FLUSH_EVERY_MS = 1_000;

export class ChatMoves {
  readonly #deps: ChatMovesDeps;
  #moved = new Map<string, Set<string>>();
  #wake: () => void = () => {};

  constructor(deps: ChatMovesDeps) {
    this.#deps = deps;
  }

  /** Its history is another. Lists show children only as a number. */
  moved(chat: {
    readonly id: string;
    readonly ownerId: string;
    readonly parentChatId: string | null;
  }): void {
    if (chat.parentChatId !== null) return;
    const moved = this.#moved.get(chat.ownerId) ?? new Set();
    this.#moved.set(chat.ownerId, moved.add(chat.id));
    this.#wake();
  }

  /** Until the signal aborts. What is not told is told by the next news of the chat. */
  async keepTelling(signal: AbortSignal): Promise<void> {
    const { database, clock, log } = this.#deps;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    while (!signal.aborted) {
      if (this.#moved.size === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const moved = this.#moved;
      this.#moved = new Map();
      try {
        await publishMoves(database.sql, moved);
      } catch (error) {
        log.debug({ err: error }, "lists were not told that chats moved");
      }
      await clock.sleep(FLUSH_EVERY_MS, signal);
    }
  }
}
