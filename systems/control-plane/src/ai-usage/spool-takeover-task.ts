/**
 * Brings to Postgres what servers with this data directory left in their spools when they ended: at
 * the start, and while others with the same directory may end. A spool is taken over only when its
 * owner is dead, which its lock tells; interceptions in it that never ended are ended by the task for
 * orphans, like those of any dead server.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import type { Tasks } from "@atelier/host/tasks";
import type { SpoolReader } from "../record-spool/spool.ts";
import type { PersistentWriteMetrics } from "./persistent-write.ts";
import { RecordWriter } from "./record-writer-actions.ts";
import { drainOnce } from "./spool-drain-actions.ts";

const STEP_MS = 30_000;

export type TakeoverDeps = {
  readonly database: Pick<Database, "pool">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: PersistentWriteMetrics;
  readonly takeOver: () => Promise<readonly LeftSpool[]>;
};

/** Disposing one that is read to its end deletes it. */
type LeftSpool = SpoolReader & AsyncDisposable & { readonly directory: string };

export function startTakeoverTask(
  deps: TakeoverDeps & { readonly tasks: Pick<Tasks, "run"> },
): void {
  deps.tasks.run("take over spools", async (signal) => {
    while (!signal.aborted) {
      try {
        await drainLeftSpools(deps, signal);
      } catch (error) {
        deps.log.error({ error }, "the spool of a server that stopped cannot be read");
      }
      await deps.clock.sleep(STEP_MS, signal);
    }
  });
}

/** How many records it brought; some of them may have been there. */
export async function drainLeftSpools(deps: TakeoverDeps, stop: AbortSignal): Promise<number> {
  await using resources = new AsyncDisposableStack();
  let records = 0;
  const spools = await deps.takeOver();
  for (const spool of spools) resources.use(spool);
  for (const spool of spools) {
    records += await drainSpool(deps, spool, stop);
  }
  return records;
}

async function drainSpool(
  { database, log, ...deps }: TakeoverDeps,
  spool: LeftSpool,
  stop: AbortSignal,
): Promise<number> {
  const { bytes, directory } = spool;
  const writer = new RecordWriter({ database });
  let records = 0;
  while (!stop.aborted) {
    const drained = await drainOnce({ ...deps, log, writer }, spool, { stop });
    if (drained === null) break;
    records += drained.records;
  }
  if (bytes > 0) log.warn({ directory, bytes, records }, "took over the spool of a server that stopped"); // prettier-ignore
  return records;
}
