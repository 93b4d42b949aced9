/**
 * Brings a database to this program's schema: applies `migrations/NNNN_name.sql` in order, forward
 * only, each file in a transaction of its own.
 *
 * Guarantees: several servers may start at once (one migrates, the others wait for it); a file that
 * was applied and then changed, a database that is ahead of the program, and a Postgres that is too
 * old are told apart and refused before anything is changed.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@atelier/base/logger";
import type pg from "pg";
import { newClient, type Database } from "./database.ts";

export type Migration = {
  readonly number: number;
  readonly file: string;
  readonly sql: string;
  /** Hex SHA-256 of the file. */
  readonly checksum: string;
};

type AppliedMigration = {
  readonly number: number;
  readonly file: string;
  readonly checksum: string;
};

/** Anything will do that no other program locks with: the ASCII of "atelier" as one number. */
const LOCK_KEY = "27431051700299122";
const POSTGRES_VERSION_MIN = 15;
const MIGRATIONS_DIRECTORY = join(import.meta.dirname, "../migrations");

/** Applies what is missing. Throws an error that an operator can act on. */
export async function migrate(
  database: Pick<Database, "connection">,
  log: Logger,
  migrations: readonly Migration[] = loadMigrations(MIGRATIONS_DIRECTORY),
): Promise<void> {
  // A connection of its own: a migration may take longer than the pool lets a statement run.
  const client = newClient(database.connection, "atelier migrate");
  client.on("error", () => {}); // The statement in progress fails and says it.
  await client.connect();
  try {
    requireSupportedVersion(await loadVersionNumber(client));
    await waitForLock(client, log);
    await applyMissing(client, migrations, log);
  } finally {
    await client.end();
  }
}

/** The files of a directory, in order. Throws when their numbers have gaps or repeat. */
export function loadMigrations(directory: string): readonly Migration[] {
  const files = readdirSync(directory).filter((file) => file.endsWith(".sql"));
  return files.toSorted().map((file, index) => {
    const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1]);
    if (number !== index + 1) {
      throw new Error(
        `migration ${file}: expected the name ${String(index + 1).padStart(4, "0")}_*.sql`,
      );
    }
    const sql = readFileSync(join(directory, file), "utf8");
    return { number, file, sql, checksum: createHash("sha256").update(sql).digest("hex") };
  });
}

async function loadVersionNumber(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ number: number }>(
    "select current_setting('server_version_num')::int as number",
  );
  return rows[0]?.number ?? 0;
}

/** `versionNumber` as Postgres counts: 150018 is 15.18. */
export function requireSupportedVersion(versionNumber: number): void {
  const major = Math.floor(versionNumber / 10_000);
  if (major >= POSTGRES_VERSION_MIN) return;
  throw new Error(
    `the database runs Postgres ${major}; Atelier needs Postgres ${POSTGRES_VERSION_MIN} or newer`,
  );
}

/** One server at a time. Held until the connection closes, however it closes. */
async function waitForLock(client: pg.Client, log: Logger): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>(
    "select pg_try_advisory_lock($1) as locked",
    [LOCK_KEY],
  );
  if (rows[0]?.locked === true) return;
  log.info({}, "waiting for another server to migrate the database");
  await client.query("select pg_advisory_lock($1)", [LOCK_KEY]);
}

async function applyMissing(
  client: pg.Client,
  migrations: readonly Migration[],
  log: Logger,
): Promise<void> {
  await client.query(`
    create table if not exists schema_migrations (
      number integer primary key,
      file text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`);
  const { rows: applied } = await client.query<AppliedMigration>(
    "select number, file, checksum from schema_migrations order by number",
  );
  requireKnownHistory(applied, migrations);
  for (const migration of migrations.slice(applied.length)) {
    await apply(client, migration);
    log.info({ migration: migration.file }, "database migration applied");
  }
}

function requireKnownHistory(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): void {
  for (const [index, { number, file, checksum }] of applied.entries()) {
    const known = migrations[index];
    if (known === undefined || known.number !== number) {
      throw new Error(
        `the database has migration ${file}, which this version of Atelier does not know: ` +
          "it was used by a newer version. Upgrade the program, or use another database",
      );
    }
    if (known.checksum !== checksum) {
      throw new Error(
        `migration ${known.file} is not the file that was applied to this database. ` +
          "Restore the file, and put the change into a new migration",
      );
    }
  }
}

async function apply(client: pg.Client, { number, file, sql, checksum }: Migration): Promise<void> {
  await client.query("begin");
  try {
    await client.query(sql);
    await client.query(
      "insert into schema_migrations (number, file, checksum) values ($1, $2, $3)",
      [number, file, checksum],
    );
    await client.query("commit");
  } catch (cause) {
    await client.query("rollback").catch(() => {}); // The connection is gone: nothing was applied.
    throw new Error(`migration ${file}`, { cause });
  }
}
