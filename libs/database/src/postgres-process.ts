/**
 * Running Postgres' own programs: initdb and the postmaster. Knows nothing of who owns a data
 * directory or for how long; `embedded-postgres.ts` and the tests' server decide that.
 *
 * On Linux the programs are told that the data lies in `/proc/self/cwd` and are started inside of it.
 * They need no permission on the directories above then, so that the data of a server that is root
 * may stay in a closed home directory, and no path is too long.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { assert } from "@atelier/base/assert";
import pg from "pg";
import type { PostgresPrograms } from "./postgres-programs.ts";
import type { ServerUser } from "./postgres-user.ts";

export type Cluster = {
  readonly programs: PostgresPrograms;
  /** Holds the data, is owned by `user`, mode 0700. */
  readonly directory: string;
  readonly user: ServerUser;
};

/** A server on a Unix socket. */
export type SocketConnection = {
  readonly host: string;
  /** Part of the socket's name; nothing listens on the network. */
  readonly port: number;
  readonly user: string;
  readonly database: string;
};

const INITDB_MS_MAX = 120_000;
const SUPERUSER = "app";
const PORT = 5432;

/** Fills an empty directory. Everybody who reaches the socket is let in: its directory is the lock. */
export async function initCluster(
  cluster: Cluster,
  { isDurable }: { isDurable: boolean },
): Promise<void> {
  const args = [
    `--pgdata=${dataArgument(cluster)}`,
    `--username=${SUPERUSER}`,
    "--auth=trust",
    "--encoding=UTF8",
    // Sorts the same on every machine and after every update of its libraries.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    ...(isDurable ? ["--data-checksums"] : ["--no-sync", "--no-data-checksums"]),
  ];
  try {
    await promisify(execFile)(cluster.programs.initdb, args, {
      ...childOptions(cluster),
      timeout: INITDB_MS_MAX,
    });
  } catch (cause) {
    const { stderr } = cause as { stderr?: string };
    throw new Error(`initialize the database directory: ${stderr?.trim() ?? ""}`, { cause });
  }
}

/** What the postmaster is started with. Equal arguments mean an equal server. */
export function postmasterArguments(
  cluster: Cluster,
  socketDirectory: string,
  settings: Readonly<Record<string, string>>,
): string[] {
  const all = { ...settings, listen_addresses: "", unix_socket_directories: socketDirectory };
  return [
    "-D",
    dataArgument(cluster),
    "-p",
    String(PORT),
    ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

/** Starts it in a session of its own, so that it outlives this process and the terminal's Ctrl-C. */
export async function spawnPostmaster(
  cluster: Cluster,
  args: readonly string[],
  logDescriptor: number,
): Promise<number> {
  const postmaster = spawn(cluster.programs.postgres, args, {
    ...childOptions(cluster),
    detached: true,
    stdio: ["ignore", logDescriptor, logDescriptor],
  });
  await once(postmaster, "spawn"); // Or throws why it cannot be executed.
  postmaster.unref();
  assert(postmaster.pid !== undefined, "a spawned process has a number");
  return postmaster.pid;
}

export function socketConnection(socketDirectory: string, database: string): SocketConnection {
  return { host: socketDirectory, port: PORT, user: SUPERUSER, database };
}

/** The error that a connection attempt ends with, or null when the server answered. */
export async function tryConnect(connection: SocketConnection): Promise<Error | null> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {}); // Reported by the attempt itself.
  try {
    await client.connect();
    await client.query("select 1");
    return null;
  } catch (error) {
    return error as Error;
  } finally {
    await client.end().catch(() => {});
  }
}

function dataArgument({ directory }: Cluster): string {
  return process.platform === "linux" ? "/proc/self/cwd" : directory;
}

function childOptions({ directory, user }: Cluster): {
  cwd: string;
  uid?: number;
  gid?: number;
  env: NodeJS.ProcessEnv;
} {
  const identity = user.isOther ? { uid: user.uid, gid: user.gid } : {};
  // An environment of its own: PG* variables of the operator's shell must not reach it.
  return { ...identity, cwd: directory, env: { LC_ALL: "C", TZ: "UTC" } };
}
