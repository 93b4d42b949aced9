/** Makes and drops monthly partitions. Table names come from our own list, never from outside. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import type { PartitionedTable } from "./partition.ts";

/** False: another replica is at it. Held until the transaction ends. */
export async function tryLockPartitions(db: Sql): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended('atelier:partitions', 0)) as locked`.execute(
    db,
  );
  return rows[0]?.locked ?? false;
}

/** Waits for the parent table's lock only briefly: whoever waits makes everybody behind wait. */
export async function limitLockWait(db: Sql): Promise<void> {
  await sql`set local lock_timeout = '2s'`.execute(db);
}

export async function ensurePartitions(
  db: Sql,
  table: string,
  months: { readonly first: string; readonly last: string },
): Promise<void> {
  await sql`
    select ensure_month_partitions(${table}, ${months.first}::date, ${months.last}::date)`.execute(
    db,
  );
}

export async function listPartitions(db: Sql, table: string): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = to_regclass(${table})
    order by c.relname`.execute(db);
  return rows.map(({ name }) => name);
}

export async function dropPartition(db: Sql, partition: string): Promise<void> {
  await sql`drop table ${sql.table(partition)}`.execute(db);
}

/** A batch of the oldest. Returns how many went. */
export async function deleteRowsBefore(
  db: Sql,
  { table, timeColumn }: PartitionedTable,
  { cutoff, limit }: { readonly cutoff: Date; readonly limit: number },
): Promise<number> {
  // A row's place is unique only within its partition.
  const { rows } = await sql`
    delete from ${sql.table(table)}
    where (tableoid, ctid) in (
      select tableoid, ctid from ${sql.table(table)}
      where ${sql.ref(timeColumn)} < ${cutoff}
      limit ${limit})
    returning 1`.execute(db);
  return rows.length;
}
