/**
 * A real Postgres for one run of tests, with a migrated database called `template` to clone. Fast
 * rather than durable: it does not outlive the run, not even when the run is killed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "@atelier/base/logger";
import { newClient } from "@atelier/database/database";
import { migrate } from "@atelier/database/migrate";
import {
  initCluster,
  postmasterArguments,
  socketConnection,
  tryConnect,
  type SocketConnection,
} from "@atelier/database/postgres-process";
import { findPostgresPrograms } from "@atelier/database/postgres-programs";
import { chooseServerUser } from "@atelier/database/postgres-user";

/** Tells test processes where the run's server is: JSON of a `SocketConnection`. */
export const TEST_POSTGRES_VARIABLE = "ATELIER_TEST_POSTGRES";

const START_MS_MAX = 120_000;
const MEMORY_DIRECTORY = "/dev/shm";
const MEMORY_BYTES_MIN = 2_000_000_000;
const SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_connections: "300",
  shared_buffers: "64MB",
  autovacuum: "off",
  // How long a deadlock lasts.
  deadlock_timeout: "50ms",
};

/** Starts Postgres as a child whose standard input is a lifeline: when it closes, Postgres stops. */
const WATCHDOG = `"$@" >"$LOG" 2>&1 </dev/null & pid=$!; cat >/dev/null; kill -INT $pid; wait $pid; rm -rf "$DIRECTORY"`;

/** Connects to `template`. */
export async function startPostgresServer(): Promise<AsyncDisposable & SocketConnection> {
  const user = chooseServerUser(null);
  const parent = mkdtempSync(join(testDirectoriesParent(), "atelier-test-"));
  const directory = join(parent, "data");
  mkdirSync(directory, { mode: 0o700 });
  if (user.isOther) for (const path of [parent, directory]) chownSync(path, user.uid, user.gid);
  const programs = findPostgresPrograms(user, parent);
  const cluster = { programs, directory, user };
  await initCluster(cluster, { isDurable: false });

  const args = postmasterArguments(cluster, parent, SETTINGS);
  const watchdog = spawn("sh", ["-c", WATCHDOG, "sh", programs.postgres, ...args], {
    ...(user.isOther ? { uid: user.uid, gid: user.gid } : {}),
    cwd: directory,
    env: { PATH: process.env["PATH"], LOG: join(parent, "log"), DIRECTORY: parent, LC_ALL: "C" },
    // A session of its own: Ctrl-C stops the run first, and the run stops Postgres.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const exited = once(watchdog, "exit");
  const stop = async (): Promise<void> => {
    watchdog.stdin.end();
    await exited;
    rmSync(parent, { recursive: true, force: true });
  };
  try {
    await untilReady(socketConnection(parent, "postgres"), join(parent, "log"));
    const template = await makeTemplate(parent);
    return { ...template, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Where tests keep databases. In memory if there is room, since a clone is some 500 files and takes a
 * tenth of the time there; containers often have little.
 */
export function testDirectoriesParent(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_DIRECTORY);
    if (bavail * bsize >= MEMORY_BYTES_MIN) return MEMORY_DIRECTORY;
  } catch {
    // Only Linux has it.
  }
  // Not the system's own choice: a socket's path must be short, and macOS' is long.
  return "/tmp";
}

async function untilReady(connection: SocketConnection, logFile: string): Promise<void> {
  const deadlineMs = performance.now() + START_MS_MAX;
  for (;;) {
    const error = await tryConnect(connection);
    if (error === null) return;
    if (performance.now() > deadlineMs) {
      throw new Error(`start Postgres for tests: ${readFileSync(logFile, "utf8")}`, {
        cause: error,
      });
    }
    await sleep(10);
  }
}

async function makeTemplate(socketDirectory: string): Promise<SocketConnection> {
  const admin = newClient(socketConnection(socketDirectory, "postgres"), "atelier tests");
  await admin.connect();
  await admin.query("create database template");
  await admin.end();
  const connection = socketConnection(socketDirectory, "template");
  await migrate({ connection }, silentLogger);
  return connection;
}
