/**
 * Ends interceptions whose server died before it could: nobody else will, and their sessions would
 * look busy for ever (spec gateway 9.2). Any server does it for all; several at once do no harm.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import type { Tasks } from "@atelier/host/tasks";
import { checkConnection, endInterceptions, listOrphans } from "./usage-record-store.ts";
import { bareEnd, ORPHAN_MESSAGE, toEndText } from "./usage-record.ts";

/** A server that has been silent for this long is dead; it says that it lives every few seconds. */
export const SILENT_MS_MAX = 60_000;
const STEP_MS = 30_000;
const BATCH_MAX = 200;

export type OrphanDeps = {
  readonly database: Pick<Database, "pool">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Never taken for dead by itself, however late its own sign of life is. */
  readonly replicaId: string;
};

export function startOrphanTask(deps: OrphanDeps & { readonly tasks: Pick<Tasks, "run"> }): void {
  deps.tasks.run("end orphaned interceptions", async (signal) => {
    // After an outage of the database everybody's sign of life is old: they are given time for a new
    // one, or requests that are well under way would look broken until they end.
    let wasAway = false;
    while (!signal.aborted) {
      try {
        if (wasAway) await checkConnection(deps.database.pool);
        else await endOrphans(deps);
        wasAway = false;
      } catch (error) {
        deps.log.warn({ error }, "end orphaned interceptions");
        wasAway = true;
      }
      await deps.clock.sleep(STEP_MS, signal);
    }
  });
}

/** How many it ended. */
export async function endOrphans(deps: OrphanDeps): Promise<number> {
  const { pool } = deps.database;
  const silentSince = new Date(deps.clock.now().getTime() - SILENT_MS_MAX);
  let ended = 0;
  for (;;) {
    const search = { silentSince, ownReplicaId: deps.replicaId, limit: BATCH_MAX };
    const orphans = await listOrphans(pool, search);
    if (orphans.length === 0) break;
    const error = { type: "unknown", message: ORPHAN_MESSAGE } as const;
    const rows = orphans.map((orphan) => toEndText(bareEnd({ ...orphan, error })));
    const done = await endInterceptions(pool, rows);
    ended += done.length;
    // Another server ended them between the two statements; its own loop finds the rest.
    if (done.length === 0) break;
  }
  if (ended > 0) deps.log.warn({ ended }, "ended the interceptions of servers that stopped");
  return ended;
}
