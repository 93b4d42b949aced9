/**
 * The directory that holds the embedded Postgres' data: made whole or not at all, owned by the user who
 * runs Postgres, and used only by the version that made it.
 */
import { randomUUID } from "node:crypto";
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, join } from "node:path";
import { initCluster, type Cluster } from "./postgres-process.ts";
import { findPostgresPrograms } from "./postgres-programs.ts";
import { chooseServerUser, mayReach, type ServerUser } from "./postgres-user.ts";

/** Where the database of a data directory is or will be, and who runs it. */
export function findCluster(dataDir: string): Cluster {
  const directory = join(dataDir, "postgres");
  const ownerUid = statSync(directory, { throwIfNoEntry: false })?.uid ?? null;
  const user = chooseServerUser(ownerUid);
  if (ownerUid !== null && ownerUid !== user.uid) {
    const advice = user.isOther
      ? `give it to user ${user.uid}, because Postgres refuses to run as root`
      : "start Atelier as that user or as root";
    throw new Error(`the database directory ${directory} belongs to user ${ownerUid}: ${advice}`);
  }
  if (process.platform !== "linux" && !mayReach(user, dataDir)) {
    throw new Error(
      `user ${user.uid}, who runs Postgres, cannot enter ${dataDir}: start Atelier as a user that is not root`,
    );
  }
  return { programs: findPostgresPrograms(user, dataDir), directory, user };
}

/** Under another name first: a crash in the middle leaves only something to clear away. */
export async function makeCluster(cluster: Cluster, dataDir: string): Promise<void> {
  const prefix = `${basename(cluster.directory)}.new-`;
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith(prefix)) rmSync(join(dataDir, name), { recursive: true });
  }
  const directory = join(dataDir, `${prefix}${randomUUID()}`);
  makeDirectory(directory, cluster.user);
  await initCluster({ ...cluster, directory }, { isDurable: true });
  renameSync(directory, cluster.directory);
  const parent = openSync(dataDir, "r");
  fsyncSync(parent);
  closeSync(parent);
}

function makeDirectory(directory: string, user: ServerUser): void {
  mkdirSync(directory, { mode: 0o700 });
  if (user.isOther) chownSync(directory, user.uid, user.gid);
}

/** Postgres reads only the format of its own major version. */
export function requireSameVersion({ directory, programs }: Cluster): void {
  const file = join(directory, "PG_VERSION");
  if (!existsSync(file)) {
    throw new Error(
      `${directory} is not a database directory: move it away, or restore what was in it`,
    );
  }
  const version = readFileSync(file, "utf8").trim();
  if (version === String(programs.versionMajor)) return;
  throw new Error(
    `the database in ${directory} was made by Postgres ${version}, and this version of Atelier has ` +
      `Postgres ${programs.versionMajor}. Run it with a Postgres ${version} of your own and --postgres-url, ` +
      "or move its data with pg_dump and pg_restore",
  );
}
