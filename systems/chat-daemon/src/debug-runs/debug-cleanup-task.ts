/** Ends recorded runs that nobody records into any more, and deletes old ones. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import { deleteRuns, interruptStaleRuns } from "./debug-run-store.ts";

export type DebugCleanupDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long runs are kept. Null: for ever. What holds may change between rounds. */
  readonly retentionMs: () => Promise<number | null>;
};

const EVERY_MS = 60_000;
/** Longer than any call beside turns may take; a turn that goes on is never stale. */
const STALE_MS = 180_000;
/** Of a batch: each has megabytes to throw away. */
const BATCH = 50;
/** Of a round: the database has other things to do. */
const ROUND_MAX = 1_000;

/** Servers that do this side by side do not disturb each other. */
export async function keepDebugRuns(deps: DebugCleanupDeps, signal: AbortSignal): Promise<void> {
  for (;;) {
    await deps.clock.sleep(EVERY_MS, signal);
    try {
      await cleanUp(deps, signal);
    } catch (error) {
      signal.throwIfAborted();
      deps.log.warn({ error }, "recorded model calls are not cleaned up for now");
    }
  }
}

export async function cleanUp(deps: DebugCleanupDeps, signal: AbortSignal): Promise<void> {
  const { database, clock, log } = deps;
  const at = clock.now();
  const stale = await interruptStaleRuns(database.sql, {
    ...{ before: new Date(at.getTime() - STALE_MS), at },
  });
  const retentionMs = await deps.retentionMs();
  const before = retentionMs === null ? null : new Date(at.getTime() - retentionMs);
  let deleted = 0;
  while (deleted < ROUND_MAX) {
    signal.throwIfAborted();
    const some = await deleteRuns(database.sql, { before, max: BATCH });
    deleted += some;
    if (some < BATCH) break;
  }
  if (stale + deleted > 0) log.info({ stale, deleted }, "cleaned up recorded model calls");
}
