/** Tables that are partitioned by month, and which of their partitions are past retention. */

export type PartitionedTable = {
  readonly table: string;
  /** The column by which it is partitioned. */
  readonly timeColumn: string;
  /** How long rows are kept. 0: forever. */
  readonly retentionMs: number;
};

/** Months that are made ahead, so that rows find their partition also if the task fails for weeks. */
export const MONTHS_AHEAD = 2;

/** First days of the month of `now` and of the last month to be made, as `2026-01-01` in UTC. */
export function monthsToMake(now: Date): { readonly first: string; readonly last: string } {
  const firstOf = (ahead: number): string =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1))
      .toISOString()
      .slice(0, 10);
  return { first: firstOf(0), last: firstOf(MONTHS_AHEAD) };
}

/** Rows from before this are not kept. Null: all are. */
export function cutoffOf({ retentionMs }: PartitionedTable, now: Date): Date | null {
  return retentionMs === 0 ? null : new Date(now.getTime() - retentionMs);
}

/** Whether every row of the partition `<table>_YYYY_MM` is older than the cutoff. */
export function isWholeOld(table: string, partition: string, cutoff: Date): boolean {
  const [, year, month] = /^_(\d{4})_(\d{2})$/.exec(partition.slice(table.length)) ?? [];
  if (!partition.startsWith(table) || year === undefined || month === undefined) return false;
  // Month 12 of a year is month 0 of the next, counted from 0.
  return Date.UTC(Number(year), Number(month), 1) <= cutoff.getTime();
}
