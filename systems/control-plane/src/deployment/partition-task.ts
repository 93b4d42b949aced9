/**
 * Keeps the monthly partitions: makes those to come, drops those past retention, and deletes old
 * rows that share a partition with younger ones. Once a day, on one replica at a time.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import {
  deleteRowsBefore,
  dropPartition,
  ensurePartitions,
  limitLockWait,
  listPartitions,
  tryLockPartitions,
} from "./partition-store.ts";
import { cutoffOf, isWholeOld, monthsToMake, type PartitionedTable } from "./partition.ts";

export type PartitionDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
};

const EVERY_MS = 86_400_000;
const AGAIN_AFTER_FAILURE_MS = 60_000;
const DELETE_BATCH = 5_000;

export async function keepPartitions(
  deps: PartitionDeps,
  tables: readonly PartitionedTable[],
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const isDone = await tidy(deps, tables);
    await deps.clock.sleep(isDone ? EVERY_MS : AGAIN_AFTER_FAILURE_MS, signal);
  }
}

async function tidy(deps: PartitionDeps, tables: readonly PartitionedTable[]): Promise<boolean> {
  try {
    for (const table of tables) await tidyTable(deps, table);
    return true;
  } catch (error) {
    deps.log.warn({ error }, "upkeep of partitions is put off");
    return false;
  }
}

export async function tidyTable(deps: PartitionDeps, table: PartitionedTable): Promise<void> {
  const now = deps.clock.now();
  const isOurs = await deps.database.transaction(async (db) => {
    if (!(await tryLockPartitions(db))) return false;
    await limitLockWait(db);
    await ensurePartitions(db, table.table, monthsToMake(now));
    return true;
  });
  const cutoff = cutoffOf(table, now);
  if (!isOurs || cutoff === null) return;
  await dropOldPartitions(deps, table, cutoff);
  let count: number;
  do {
    const batch = { cutoff, limit: DELETE_BATCH };
    count = await deleteRowsBefore(deps.database.sql, table, batch);
  } while (count === DELETE_BATCH);
}

async function dropOldPartitions(
  deps: PartitionDeps,
  { table }: PartitionedTable,
  cutoff: Date,
): Promise<void> {
  for (const partition of await listPartitions(deps.database.sql, table)) {
    if (!isWholeOld(table, partition, cutoff)) continue;
    await deps.database.transaction(async (db) => {
      await limitLockWait(db);
      await dropPartition(db, partition);
    });
    deps.log.info({ table, partition }, "partition past retention dropped");
  }
}
