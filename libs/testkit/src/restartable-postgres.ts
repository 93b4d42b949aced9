/**
 * A real Postgres that syncs, and that a test stops and starts again under whoever uses it. Its
 * address stays the same: between the two, connections are refused as by any database that is down.
 */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "@atelier/database/embedded-postgres";
import type { SocketConnection } from "@atelier/database/postgres-process";

export type RestartablePostgres = AsyncDisposable & {
  readonly connection: SocketConnection;
  /** For programs that take `--postgres-url`. */
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
};

export async function startRestartablePostgres(): Promise<RestartablePostgres> {
  const parent = mkdtempSync(join(tmpdir(), "atelier-restartable-"));
  const dataDir = join(parent, "data");
  // Each start has a socket directory of its own; this name leads to the latest.
  const host = join(parent, "socket");
  let running: EmbeddedPostgres | null = null;
  const start = async (): Promise<void> => {
    running = await startEmbeddedPostgres({ dataDir, log: silentLogger, clock: systemClock });
    rmSync(host, { force: true });
    symlinkSync(running.connection.host, host);
  };
  const stop = async (): Promise<void> => {
    const stopped = running;
    running = null;
    await stopped?.[Symbol.asyncDispose]();
  };
  await start();
  const { user, port, database } = (running as EmbeddedPostgres | null)!.connection;
  return {
    connection: { host, port, user, database },
    url: `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(dirname(host), { recursive: true, force: true });
    },
  };
}
