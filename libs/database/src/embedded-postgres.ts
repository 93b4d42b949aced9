/**
 * The database of a server that was not given one: a real Postgres under `<dataDir>/postgres`.
 *
 * Guarantees:
 * - Nothing listens on the network. The socket lies in a directory that only the user who runs
 *   Postgres may enter, and that directory is the only lock: whoever gets in may do everything.
 * - The directory is made whole or not at all, and commits survive a power cut.
 * - It outlives a crash of this server, and the next server takes it over. When it dies itself it is
 *   started again. A second server on the same data directory is refused.
 * - As root it works too, wherever the data directory lies (see postgres-process.ts): Postgres then
 *   runs as `postgres` or `nobody`, who own the directory from then on.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { newClient } from "./database.ts";
import { lockDirectory } from "./directory-lock.ts";
import { findCluster, makeCluster, requireSameVersion } from "./postgres-cluster.ts";
import { openPostgresLog } from "./postgres-log.ts";
import {
  postmasterArguments,
  socketConnection,
  spawnPostmaster,
  tryConnect,
  type Cluster,
  type SocketConnection,
} from "./postgres-process.ts";
import {
  makeSocketDirectory,
  removeSocketDirectory,
  restoreSocketDirectory,
} from "./postgres-socket.ts";
import {
  disownStalePid,
  findPostmaster,
  isAlive,
  isPostmaster,
  stopPostmaster,
  wasStartedWith,
} from "./postmaster.ts";

export type EmbeddedPostgresOptions = {
  /** Made when absent. */
  readonly dataDir: string;
  readonly log: Logger;
  readonly clock: Clock;
};

/** Stops Postgres when disposed. */
export interface EmbeddedPostgres extends AsyncDisposable {
  readonly connection: SocketConnection;
}

const DATABASE = "atelier";
const SETTINGS: Readonly<Record<string, string>> = {
  max_connections: "100",
  shared_buffers: "128MB",
  timezone: "UTC",
  log_timezone: "UTC",
  // People's data must not reach the log: neither statements nor the rows that errors quote.
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_checkpoints: "off",
  // New files of the log are not filled with zeros first: nothing commits meanwhile, for some 60 ms each.
  wal_init_zero: "off",
};
const POLL_MS = 20;
const WATCH_MS = 1_000;
/** Recovery after a crash reads back the log of the last minutes. */
const READY_MS_MAX = 600_000;
/** The last processes of a crashed Postgres may hold its memory for a moment. */
const START_AGAIN_MS_MAX = 10_000;
const START_AGAIN_AFTER_MS = 200;
/** SQLSTATE invalid_catalog_name. */
const DATABASE_ABSENT = "3D000";

export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { log } = options;
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  await using resources = new AsyncDisposableStack();
  resources.use(lockDirectory(dataDir));
  const cluster = findCluster(dataDir);
  if (!existsSync(cluster.directory)) {
    log.info({ dataDir }, "database directory is being made");
    await makeCluster(cluster, dataDir);
  }
  requireSameVersion(cluster);
  const server = new Server(cluster, dataDir, options);
  resources.use(server);
  const connection = await server.start();
  await makeDatabase(connection);
  const owned = resources.move();
  return { connection, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function makeDatabase(connection: SocketConnection): Promise<void> {
  const error = await tryConnect(connection);
  if (error === null) return;
  if ((error as { code?: string }).code !== DATABASE_ABSENT) throw error;
  const client = newClient({ ...connection, database: "postgres" }, "atelier start");
  await client.connect();
  try {
    await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** Keeps one postmaster running until disposed. */
class Server implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #logFile: string;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #socketDirectory: string | null = null;
  /** Of the postmaster that was started or taken over last. */
  #pid: number | null = null;
  #watching: Promise<void> = Promise.resolve();

  constructor(cluster: Cluster, dataDir: string, { log, clock }: EmbeddedPostgresOptions) {
    this.#cluster = cluster;
    this.#logFile = join(dataDir, "postgres.log");
    this.#log = log;
    this.#clock = clock;
  }

  async start(): Promise<SocketConnection> {
    const socketDirectory = (await this.#takeOver()) ?? (await this.#startFirst());
    this.#watching = this.#watch(socketDirectory);
    return socketConnection(socketDirectory, DATABASE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the embedded Postgres is being stopped"));
    await this.#watching;
    if (this.#pid !== null) {
      await stopPostmaster(this.#pid, this.#cluster.directory, this.#clock);
      this.#log.info({}, "embedded Postgres stopped");
    }
    if (this.#socketDirectory !== null) removeSocketDirectory(this.#socketDirectory);
  }

  /**
   * Goes on with the postmaster that a crashed server left, and answers where its socket is. Null: there
   * is none, and nothing of one is in the way.
   */
  async #takeOver(): Promise<string | null> {
    const { directory } = this.#cluster;
    const found = findPostmaster(directory);
    if (found === null) return null;
    const { pid, socketDirectory, isRunning } = found;
    if (isRunning) {
      // Started by another version, it may run with other settings: then a new one is due.
      const isAlike = wasStartedWith(this.#cluster, this.#arguments(socketDirectory));
      if (isAlike && existsSync(socketDirectory) && (await this.#isReady(pid, socketDirectory))) {
        this.#pid = pid;
        this.#socketDirectory = socketDirectory;
        this.#log.info({ pid, socketDirectory }, "embedded Postgres taken over");
        return socketDirectory;
      }
      await stopPostmaster(pid, directory, this.#clock);
    } else if (isAlive(pid)) {
      disownStalePid(directory, process.pid);
    }
    removeSocketDirectory(socketDirectory);
    return null;
  }

  async #startFirst(): Promise<string> {
    const socketDirectory = makeSocketDirectory(this.#cluster.user);
    this.#socketDirectory = socketDirectory;
    await this.#startAny(socketDirectory);
    return socketDirectory;
  }

  /** Tries again only after a crash, whose remains end by themselves. */
  async #startAny(socketDirectory: string): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + START_AGAIN_MS_MAX;
    const hasCrashed = findPostmaster(this.#cluster.directory) !== null;
    for (;;) {
      const failure = await this.#startOnce(socketDirectory);
      if (failure === null) return;
      if (!hasCrashed || deadlineMs < this.#clock.monotonicMs()) {
        throw new Error(`the embedded Postgres did not start:\n${failure}`);
      }
      await this.#clock.sleep(START_AGAIN_AFTER_MS, this.#stop.signal);
    }
  }

  /** Answers what the log says when it did not start. */
  async #startOnce(socketDirectory: string): Promise<string | null> {
    const startedMs = this.#clock.monotonicMs();
    using logFile = openPostgresLog(this.#logFile);
    const args = this.#arguments(socketDirectory);
    const pid = await spawnPostmaster(this.#cluster, args, logFile.descriptor);
    this.#pid = pid;
    if (!(await this.#isReady(pid, socketDirectory))) return logFile.readTail();
    const tookMs = Math.round(this.#clock.monotonicMs() - startedMs);
    this.#log.info({ pid, socketDirectory, tookMs }, "embedded Postgres started");
    return null;
  }

  /** Waits until it takes connections. False: it ended before. */
  async #isReady(pid: number, socketDirectory: string): Promise<boolean> {
    const connection = socketConnection(socketDirectory, "postgres");
    const deadlineMs = this.#clock.monotonicMs() + READY_MS_MAX;
    while (this.#clock.monotonicMs() < deadlineMs) {
      if (!isPostmaster(pid, this.#cluster.directory)) return false;
      if ((await tryConnect(connection)) === null) return true;
      await this.#clock.sleep(POLL_MS, this.#stop.signal);
    }
    throw new Error(`the embedded Postgres takes longer than ${READY_MS_MAX} ms to recover`);
  }

  /** Starts it again when it has died. Safe to repeat without end: every start recovers what was committed. */
  async #watch(socketDirectory: string): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(WATCH_MS, signal);
        if (this.#pid !== null && isPostmaster(this.#pid, this.#cluster.directory)) continue;
        this.#log.error({ pid: this.#pid }, "embedded Postgres died");
        restoreSocketDirectory(socketDirectory, this.#cluster.user);
        await this.#startAny(socketDirectory);
      } catch (error) {
        if (!signal.aborted) this.#log.error({ error }, "embedded Postgres did not start again");
      }
    }
  }

  #arguments(socketDirectory: string): string[] {
    // The name is shown by `ps`. It also tells apart what another version started.
    const settings = { ...SETTINGS, cluster_name: `atelier ${this.#cluster.programs.version}` };
    return postmasterArguments(this.#cluster, socketDirectory, settings);
  }
}
