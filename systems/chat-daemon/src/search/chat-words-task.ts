/**
 * Keeps the words of chats as their messages are, some minutes behind: turns never wait for it, and a chat
 * that works all day is read once in that time.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import { listUnread, lockWords, readWords } from "./chat-words-store.ts";

export type ChatWordsDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
};

const EVERY_MS = 300_000;
/** Finding them looks at all chats, so many are found at once. */
const FOUND_MAX = 1_000;
/** Read in one transaction. */
const BATCH = 20;
/** Of the time: the first reading of many chats, as after an upgrade, leaves the database to others. */
const SHARE = 0.2;
const PAUSE_MS_MIN = 20;

export async function keepReadingWords(deps: ChatWordsDeps, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await readAllWords(deps, signal);
    } catch (error) {
      if (!signal.aborted) deps.log.warn({ error }, "what was said in chats is not searchable yet");
    }
    await deps.clock.sleep(EVERY_MS, signal);
  }
}

/** Until all are read, or another server reads them. Resolves to how many were. */
export async function readAllWords(
  { database, clock }: Pick<ChatWordsDeps, "database" | "clock">,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for (;;) {
    const found = await listUnread(database.sql, FOUND_MAX);
    for (let from = 0; from < found.length; from += BATCH) {
      signal.throwIfAborted();
      const startedMs = clock.monotonicMs();
      const batch = found.slice(from, from + BATCH);
      const isOurs = await database.transaction(async (db) => {
        if (!(await lockWords(db))) return false;
        await readWords(db, batch);
        return true;
      });
      if (!isOurs) return count;
      count += batch.length;
      const tookMs = clock.monotonicMs() - startedMs;
      await clock.sleep(Math.max(PAUSE_MS_MIN, tookMs * (1 / SHARE - 1)), signal);
    }
    if (found.length < FOUND_MAX) return count;
  }
}
