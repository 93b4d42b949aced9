/** A server takes chats that want a worker: some at a time, in fair turns, within the limits. */
import type { Random } from "@atelier/base/random";
import type { Database, Sql } from "@atelier/database/database";
import {
  acquireChat,
  listAcquirable,
  tryLockPlaces,
  type ChatLimits,
} from "./acquisition-store.ts";
import type { ChatRow } from "./chat-row.ts";

export type AcquisitionDeps = { readonly database: Database; readonly random: Random };

export type Acquired = {
  readonly chats: readonly ChatRow[];
  readonly isMore: boolean;
  readonly isContended: boolean;
};

/**
 * As many as were taken, at most `max`. `isMore`: there may be others. `isContended`: some were just being
 * changed or taken by somebody else, and may still want a worker.
 */
export async function acquireChats(
  { database, random }: AcquisitionDeps,
  workerId: string,
  { limits, max }: { readonly limits: ChatLimits; readonly max: number },
): Promise<Acquired> {
  const acquire = async (db: Sql) => {
    const candidates = await listAcquirable(db, limits, max);
    const chats: ChatRow[] = [];
    for (const candidate of candidates) {
      const chat = await acquireChat(db, candidate, { workerId, runnerId: random.uuid() });
      if (chat !== null) chats.push(chat);
    }
    return {
      chats,
      isMore: candidates.length === max && chats.length > 0,
      isContended: chats.length < candidates.length,
    };
  };
  if (limits.topLevelMax === null && limits.subagentsMax === null) return acquire(database.sql);
  return database.transaction(async (db) =>
    (await tryLockPlaces(db)) ? acquire(db) : { chats: [], isMore: false, isContended: true },
  );
}
