import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { silentLogger, type Logger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { testDirectoriesParent } from "@atelier/testkit/postgres-server";
import { newClient, type DatabaseConnection } from "./database.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "./embedded-postgres.ts";
import { chooseServerUser } from "./postgres-user.ts";

const IS_ROOT = process.getuid?.() === 0;

test("a new database is made, and its data is there after a restart", async () => {
  using data = makeDataDirectory();
  {
    await using postgres = await start(data.path);
    await query(postgres.connection, "create table fruit as select 'apple' as name");
    assert.deepEqual(
      await query(
        postgres.connection,
        `select current_setting('fsync') as fsync, current_setting('data_checksums') as checksums,
           current_setting('server_encoding') as encoding, current_setting('listen_addresses') as network,
           current_setting('wal_init_zero') as zeros, current_database() as name`,
      ),
      [
        {
          ...{ fsync: "on", checksums: "on", encoding: "UTF8", network: "", zeros: "off" },
          name: "atelier",
        },
      ],
    );
  }
  assert.ok(!readdirSync(join(data.path, "postgres")).includes("postmaster.pid"), "it is stopped");
  await using postgres = await start(data.path);
  assert.deepEqual(await query(postgres.connection, "select name from fruit"), [{ name: "apple" }]);
});

test("only the user who runs Postgres may enter its directories", async () => {
  using data = makeDataDirectory();
  await using postgres = await start(data.path);
  const { uid } = chooseServerUser(null);
  for (const path of [join(data.path, "postgres"), hostOf(postgres)]) {
    const found = statSync(path);
    assert.deepEqual({ uid: found.uid, mode: found.mode & 0o777 }, { uid, mode: 0o700 }, path);
  }
  assert.equal(statSync(join(data.path, "postgres.log")).mode & 0o777, 0o600);
});

test("it works below a directory that only the server may enter, however long its path", async () => {
  using data = makeDataDirectory();
  const deep = join(data.path, "x".repeat(100), "y".repeat(100));
  mkdirSync(deep, { recursive: true });
  chmodSync(data.path, 0o700);
  await using postgres = await start(deep);
  assert.equal((await query(postgres.connection, "select 1 as n")).length, 1);
});

test("after a crash of the server, the next one takes over the running Postgres", async () => {
  using data = makeDataDirectory();
  using crashing = await startInProcess(data.path);
  const pid = postmasterPid(data.path);
  crashing.process.kill("SIGKILL");
  await once(crashing.process, "exit");

  await using postgres = await start(data.path);
  assert.equal(postmasterPid(data.path), pid);
  assert.equal(hostOf(postgres), crashing.host);
  assert.equal((await query(postgres.connection, "select 1 as n")).length, 1);
});

test("a Postgres that was started differently is replaced", async () => {
  using data = makeDataDirectory();
  using crashing = await startInProcess(data.path);
  const pid = postmasterPid(data.path);
  crashing.process.kill("SIGKILL");
  await once(crashing.process, "exit");
  const optionsFile = join(data.path, "postgres/postmaster.opts");
  writeFileSync(optionsFile, readFileSync(optionsFile, "utf8").replace("128MB", "64MB"));

  await using postgres = await start(data.path);
  assert.notEqual(postmasterPid(data.path), pid);
  assert.equal((await query(postgres.connection, "select 1 as n")).length, 1);
});

test("when server and Postgres both crashed, the next server recovers what was committed", async () => {
  using data = makeDataDirectory();
  using crashing = await startInProcess(data.path);
  await query(crashing.connection, "create table fruit as select 'apple' as name");
  crashing.process.kill("SIGKILL");
  await once(crashing.process, "exit");
  process.kill(postmasterPid(data.path), "SIGKILL");

  await using postgres = await start(data.path);
  assert.deepEqual(await query(postgres.connection, "select name from fruit"), [{ name: "apple" }]);
});

test("a Postgres that dies is started again at the same address", async () => {
  using data = makeDataDirectory();
  const died = Promise.withResolvers<void>();
  const startedAgain = Promise.withResolvers<void>();
  let starts = 0;
  const log: Logger = {
    ...silentLogger,
    error: (_, message) => message === "embedded Postgres died" && died.resolve(),
    info: (_, message) => {
      if (message === "embedded Postgres started" && (starts += 1) === 2) startedAgain.resolve();
    },
  };
  await using postgres = await startEmbeddedPostgres({
    dataDir: data.path,
    log,
    clock: systemClock,
  });
  process.kill(postmasterPid(data.path), "SIGKILL");
  await died.promise;
  await startedAgain.promise;
  assert.equal((await query(postgres.connection, "select 1 as n")).length, 1);
});

test("a stale pid file whose number is another program's by now is no obstacle", async () => {
  using data = makeDataDirectory();
  await (await start(data.path))[Symbol.asyncDispose]();
  const { uid, gid } = chooseServerUser(null);
  // Of the same user: Postgres itself would take it for a server on this directory.
  const other = spawn("sleep", ["60"], { uid, gid });
  await once(other, "spawn");
  const pidFile = join(data.path, "postgres/postmaster.pid");
  const lines = [other.pid, "/proc/self/cwd", "1", "5432", "/tmp/atelier-postgres-absent", "", ""];
  writeFileSync(pidFile, `${lines.join("\n")}\n`);
  chownSync(pidFile, uid, gid);
  try {
    await using postgres = await start(data.path);
    assert.equal((await query(postgres.connection, "select 1 as n")).length, 1);
    assert.notEqual(postmasterPid(data.path), other.pid);
  } finally {
    other.kill();
  }
});

test("a second server on the same data directory is refused", async () => {
  using data = makeDataDirectory();
  await using postgres = await start(data.path);
  await assert.rejects(start(data.path), {
    message: `the data directory ${data.path} is used by another Atelier server (process ${process.pid}): stop that one, or give this one its own --data-dir`,
  });
  assert.equal((await query(postgres.connection, "select 1 as n")).length, 1);
});

test("a directory of another Postgres version is refused and left alone", async () => {
  using data = makeDataDirectory();
  await (await start(data.path))[Symbol.asyncDispose]();
  const versionFile = join(data.path, "postgres/PG_VERSION");
  writeFileSync(versionFile, "99\n");
  await assert.rejects(start(data.path), /was made by Postgres 99, .* has Postgres \d+\. Run it/);
  assert.equal(readFileSync(versionFile, "utf8"), "99\n");
  rmSync(versionFile);
  await assert.rejects(start(data.path), /is not a database directory/);
});

test("what a crash left of making the directory is cleared away", async () => {
  using data = makeDataDirectory();
  mkdirSync(join(data.path, "postgres.new-half/base"), { recursive: true });
  await using postgres = await start(data.path);
  assert.equal((await query(postgres.connection, "select 1 as n")).length, 1);
  assert.deepEqual(
    readdirSync(data.path).filter((name) => name.startsWith("postgres.new-")),
    [],
  );
});

test("a Postgres that does not start says why, and the directory is free again", async () => {
  using data = makeDataDirectory();
  await (await start(data.path))[Symbol.asyncDispose]();
  const file = join(data.path, "postgres/postgresql.conf");
  const settings = readFileSync(file, "utf8");
  writeFileSync(file, `${settings}\nnonsense_setting = 1\n`);
  await assert.rejects(start(data.path), /did not start:\n[^]*nonsense_setting/);
  writeFileSync(file, settings);
  await using postgres = await start(data.path);
  assert.equal((await query(postgres.connection, "select 1 as n")).length, 1);
});

test("it runs as the server's own user when that is not root", async (context: TestContext) => {
  if (!IS_ROOT) {
    context.skip("only root can become someone else");
    return;
  }
  using data = makeDataDirectory();
  const { uid, gid } = chooseServerUser(null);
  chownSync(data.path, uid, gid);
  using server = await startInProcess(data.path, { uid, gid });
  assert.equal((await query(server.connection, "select 1 as n")).length, 1);
  assert.equal(statSync(join(data.path, "server.lock")).uid, uid);
  server.process.kill("SIGTERM");
  await once(server.process, "exit");
  assert.ok(!readdirSync(join(data.path, "postgres")).includes("postmaster.pid"), "it is stopped");
});

function start(dataDir: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, log: silentLogger, clock: systemClock });
}

type Crashing = Disposable & {
  readonly process: ChildProcess;
  readonly host: string;
  readonly connection: DatabaseConnection;
};

/** A server in a process of its own, which stops in good order on SIGTERM. */
async function startInProcess(
  dataDir: string,
  identity: { uid?: number; gid?: number } = {},
): Promise<Crashing> {
  const program = `
    import { startEmbeddedPostgres } from "@atelier/database/embedded-postgres";
    import { silentLogger } from "@atelier/base/logger";
    import { systemClock } from "@atelier/base/system-clock";
    const postgres = await startEmbeddedPostgres(
      { dataDir: ${JSON.stringify(dataDir)}, log: silentLogger, clock: systemClock });
    process.on("SIGTERM", () => postgres[Symbol.asyncDispose]());
    console.log(JSON.stringify(postgres.connection));`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    ...identity,
    cwd: import.meta.dirname,
    env: {},
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const connection = JSON.parse(line) as DatabaseConnection & { host: string };
    return {
      process: child,
      host: connection.host,
      connection,
      [Symbol.dispose]: () => child.kill("SIGKILL"),
    };
  }
  throw new Error("the process ended before Postgres was up");
}

/** Removed at the end, after whatever still runs in it was stopped. */
function makeDataDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(testDirectoriesParent(), "atelier-embedded-"));
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function postmasterPid(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, "postgres/postmaster.pid"), "utf8"), 10);
}

function hostOf({ connection }: EmbeddedPostgres): string {
  return connection.host;
}

async function query(connection: DatabaseConnection, text: string): Promise<unknown[]> {
  const client = newClient(connection, "embedded test");
  client.on("error", () => {}); // Postgres is stopped and killed here.
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
