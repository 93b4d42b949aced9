/** A server takes chats that want a worker: some at a time, in fair turns, within the limits. */
import type { Random } from "@atelier/base/random";
import type { Database, Sql } from "@atelier/database/database";
import { acquireSome, tryLockPlaces, type ChatLimits } from "./acquisition-store.ts";
import type { ChatRow } from "./chat-row.ts";

export type AcquisitionDeps = { readonly database: Database; readonly random: Random };

export type Acquired = {
  readonly chats: readonly ChatRow[];
  readonly isMore: boolean;
  readonly isContended: boolean;
  /** When a lease may have ended for which it is worth to look again. Null: none is known. */
  readonly lookAgainInMs: number | null;
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
  const acquire = async (at: Database["pool"] | Sql): Promise<Acquired> => {
    const runnerIds = Array.from({ length: max }, () => random.uuid());
    const { chats, candidateCount, leaseEndsInMs } = await acquireSome(at, limits, {
      workerId,
      runnerIds,
    });
    return {
      chats,
      isMore: candidateCount === max && chats.length > 0,
      isContended: chats.length < candidateCount,
      lookAgainInMs: leaseEndsInMs,
    };
  };
  if (limits.topLevelMax === null && limits.subagentsMax === null) return acquire(database.pool);
  return database.transaction(async (db) => ((await tryLockPlaces(db)) ? acquire(db) : NONE_NOW));
}

/** Another server counts places. */
const NONE_NOW: Acquired = { chats: [], isMore: false, isContended: true, lookAgainInMs: null };
