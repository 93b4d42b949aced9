/** Where the server keeps its data: a Postgres of the operator's, or an embedded one. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Secret } from "@atelier/base/secret";
import { isDatabaseUnavailable, openDatabase, type Database } from "@atelier/database/database";
import { startEmbeddedPostgres } from "@atelier/database/embedded-postgres";
import { migrate } from "@atelier/database/migrate";
import { StartError } from "@atelier/host/start-error";

export type StorageOptions = {
  readonly postgresUrl: Secret | null;
  readonly dataDir: string;
  readonly connectionsMax: number;
};

/** An up-to-date database. What is opened is put into `resources`. */
export async function openStorage(
  deps: { readonly log: Logger; readonly clock: Clock },
  options: StorageOptions,
  resources: AsyncDisposableStack,
): Promise<Database> {
  try {
    return await open(deps, options, resources);
  } catch (error) {
    throw options.postgresUrl === null ? embeddedFailure(error) : externalFailure(error);
  }
}

async function open(
  { log, clock }: { readonly log: Logger; readonly clock: Clock },
  { postgresUrl, dataDir, connectionsMax }: StorageOptions,
  resources: AsyncDisposableStack,
): Promise<Database> {
  const connection =
    postgresUrl === null
      ? resources.use(await startEmbeddedPostgres({ dataDir, log, clock })).connection
      : { connectionString: postgresUrl };
  const applicationName = "atelier server";
  const database = resources.use(
    openDatabase({ connection, applicationName, connectionsMax, log }),
  );
  await migrate(database, log);
  return database;
}

/** Plain errors of the embedded Postgres and of migrations are sentences for the operator. */
function embeddedFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error.constructor !== Error) return error;
  const cause = error.cause instanceof Error ? `\n(${error.cause.message})` : "";
  return new StartError(`${error.message}${cause}`, { cause: error });
}

function externalFailure(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const isRefused = REFUSED_STATES.some((state) => code.startsWith(state));
  if (!isRefused && !isDatabaseUnavailable(error)) return embeddedFailure(error);
  const reason = error instanceof Error ? error.message || code : String(error);
  return new StartError(
    `the database of postgres-url cannot be used (${reason}). Check that it runs, and that host, ` +
      "port, user, password and database name are right.",
    { cause: error },
  );
}

/** SQLSTATE classes and codes: invalid authorization, no such database, not allowed. */
const REFUSED_STATES = ["28", "3D000", "42501"];
