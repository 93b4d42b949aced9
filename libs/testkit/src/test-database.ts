/** A migrated, empty database for one test: a clone that is dropped when the test is done with it. */
import { randomUUID } from "node:crypto";
import { silentLogger } from "@atelier/base/logger";
import { newClient, openDatabase, type Database } from "@atelier/database/database";
import type { SocketConnection } from "@atelier/database/postgres-process";
import { TEST_POSTGRES_VARIABLE } from "./postgres-server.ts";

export interface TestDatabase extends Database {
  readonly connection: SocketConnection;
  /** The same as `connection`, for programs that take `--postgres-url`. */
  readonly url: string;
}

const CONNECTIONS_MAX = 10;

/** Runs only under `tools/test.ts`, which starts the server. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = testServer();
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  // File copy beats the default, which writes the whole template to the log.
  await administer(server, `create database ${name} template template strategy file_copy`);
  const connection = { ...server, database: name };
  const database = openDatabase({
    connection,
    applicationName: "atelier tests",
    connectionsMax: CONNECTIONS_MAX,
    log: silentLogger,
  });
  return {
    ...database,
    connection,
    url: toUrl(connection),
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      // By force: a server that the test has just stopped may still be closing its connections.
      await administer(server, `drop database ${name} with (force)`);
    },
  };
}

function testServer(): SocketConnection {
  const text = process.env[TEST_POSTGRES_VARIABLE];
  if (text === undefined) {
    throw new Error("this test wants a database: run it with `npm test -- <path>`");
  }
  return JSON.parse(text) as SocketConnection; // Written by tools/test.ts.
}

/** The host is a directory, which a URL can only carry as a parameter. */
function toUrl({ host, port, user, database }: SocketConnection): string {
  return `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`;
}

async function administer(server: SocketConnection, statement: string): Promise<void> {
  const client = newClient({ ...server, database: "postgres" }, "atelier tests");
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
