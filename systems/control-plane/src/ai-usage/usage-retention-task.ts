/**
 * Keeps the storage of usage records in shape: the coming months have partitions before rows arrive,
 * and what is older than the retention is gone (spec gateway 9.4, design 7). Whole months are
 * dropped, which gives the disk back at once; the month of the cutoff is thinned in batches.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database, Sql } from "@atelier/database/database";
import type { Tasks } from "@atelier/host/tasks";
import {
  deleteChatTotalsBefore,
  deleteInterceptionsBefore,
  deleteSessionsBefore,
  dropUsagePartitions,
  ensureUsagePartitions,
  listUsagePartitions,
} from "./usage-retention-store.ts";

const STEP_MS = 60 * 60_000;
const MONTHS_AHEAD = 2;
const DELETE_BATCH = 1_000;

export type RetentionDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** Zero: for ever. */
  readonly retentionMs: number;
  /** Of the sums of chats. Zero: for ever. */
  readonly totalsRetentionMs: number;
};

export function startUsageRetentionTask(
  deps: RetentionDeps & { readonly tasks: Pick<Tasks, "run"> },
): void {
  deps.tasks.run("usage retention", async (signal) => {
    while (!signal.aborted) {
      try {
        await maintainUsageStorage(deps, signal);
      } catch (error) {
        deps.log.warn({ error }, "usage retention is tried again later");
      }
      await deps.clock.sleep(STEP_MS, signal);
    }
  });
}

/** One round: partitions ahead, then everything that is too old. */
export async function maintainUsageStorage(
  deps: RetentionDeps,
  signal: AbortSignal,
): Promise<void> {
  const { database, clock, log, retentionMs, totalsRetentionMs } = deps;
  const now = clock.now();
  const last = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + MONTHS_AHEAD, 1));
  await database.transaction((sql) => ensureUsagePartitions(sql, { first: now, last }));
  if (totalsRetentionMs > 0) {
    const page = { cutoff: new Date(now.getTime() - totalsRetentionMs), limit: DELETE_BATCH };
    await repeat(signal, database, (sql) => deleteChatTotalsBefore(sql, page));
  }
  if (retentionMs === 0) return;
  const cutoff = new Date(now.getTime() - retentionMs);
  const dropped = await dropMonthsBefore(database, cutoff);
  const page = { cutoff, limit: DELETE_BATCH };
  const interceptions = await repeat(signal, database, (sql) =>
    deleteInterceptionsBefore(sql, page),
  );
  const sessions = await repeat(signal, database, (sql) => deleteSessionsBefore(sql, page));
  if (dropped.length + interceptions + sessions > 0) {
    log.info({ cutoff, dropped, interceptions, sessions }, "deleted usage records by retention");
  }
}

async function dropMonthsBefore(database: Database, cutoff: Date): Promise<readonly string[]> {
  const partitions = await listUsagePartitions(database.sql);
  const old = partitions.filter(({ month }) => monthAfter(month) <= cutoff);
  const byMonth = Map.groupBy(old, ({ month }) => month.getTime());
  for (const group of byMonth.values()) {
    const names = group.map(({ name }) => name);
    await database.transaction((sql) => dropUsagePartitions(sql, names));
  }
  return old.map(({ name }) => name);
}

function monthAfter(month: Date): Date {
  return new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1));
}

/** Batch after batch, each committed, until one is not full. */
async function repeat(
  signal: AbortSignal,
  database: Database,
  deleteBatch: (sql: Sql) => Promise<number>,
): Promise<number> {
  let deleted = 0;
  while (!signal.aborted) {
    const batch = await database.transaction(deleteBatch);
    deleted += batch;
    if (batch < DELETE_BATCH) break;
  }
  return deleted;
}
