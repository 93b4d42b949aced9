/**
 * The way to Postgres: a pool, transactions, and what to make of a database that is away.
 *
 * Guarantees: no connection waits forever (connecting, a statement, an idle transaction and a dead
 * network path all have limits), a lost connection never crashes the process, `bigint` arrives as an
 * exact JavaScript number, and transactions that Postgres asks to repeat are repeated.
 */
import { Socket } from "node:net";
import { Secret } from "@atelier/base/secret";
import type { Logger } from "@atelier/base/logger";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { FrequentStatements } from "./frequent-statements.ts";
import type { Schema } from "./generated/schema.generated.ts";

/** What stores run statements with: the pool or a transaction alike. */
export type Sql = Kysely<Schema>;

/** Where a database is. `host` may be the directory of a Unix socket. */
export type DatabaseConnection =
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password?: string | Secret;
      readonly database: string;
      readonly ssl?: pg.ClientConfig["ssl"];
    }
  | { readonly connectionString: string | Secret };

export type DatabaseOptions = {
  readonly connection: DatabaseConnection;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly connectionsMax: number;
  readonly log: Logger;
  /** 0: no limit. Without it, 30 s. */
  readonly statementTimeoutMs?: number;
  /** Without it, 8 s. */
  readonly idleTransactionMs?: number;
};

export interface Database extends AsyncDisposable {
  readonly sql: Sql;
  /** For named statements, which skip planning and building: the hot path's way. */
  readonly pool: pg.Pool;
  readonly connection: DatabaseConnection;
  /**
   * Runs `work` in one transaction and repeats it when Postgres says so (a deadlock or a conflict of
   * serializable transactions), so `work` must touch nothing but the database.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Several reads that see one moment. */
  readOnlyTransaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}

const CONNECT_MS_MAX = 5_000;
const IDLE_CONNECTION_MS_MAX = 30_000;
/**
 * Of a process that hangs in the middle of a transaction, as one that is paused: what it has locked is free
 * again before the lease of its chats ends, so that others can go on with them.
 */
const IDLE_TRANSACTION_MS_MAX = 8_000;
const STATEMENT_MS_MAX_DEFAULT = 30_000;
/** A connection does not outlive a failover behind the same name for longer than this. */
const CONNECTION_LIFETIME_SECONDS_MAX = 3_600;
const KEEP_ALIVE_AFTER_MS = 10_000;
/** A connection that is silent for this many statement timeouts is dead. */
const SILENT_TIMEOUTS_MAX = 1.5;
const TRANSACTION_ATTEMPTS_MAX = 4;

export function openDatabase(options: DatabaseOptions): Database {
  const { connection, connectionsMax, log } = options;
  const pool = new pg.Pool({
    ...poolConfig(options),
    Client: clientThatPrepares(new FrequentStatements()),
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    idleTimeoutMillis: IDLE_CONNECTION_MS_MAX,
    maxLifetimeSeconds: CONNECTION_LIFETIME_SECONDS_MAX,
  });
  pool.on("error", ({ message }) => {
    // Connections still say goodbye when the pool has ended. The error itself holds the client: too
    // much for a log.
    if (!pool.ending) log.warn({ reason: message }, "idle database connection lost");
  });
  // The pool listens to idle connections only; one that breaks while in use would end the process.
  // Whoever uses it learns of it from the failing statement.
  pool.on("connect", (client) => client.on("error", () => {}));
  const sql = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return {
    sql,
    pool,
    connection,
    transaction: (work) => transactionWithRetry(sql, work, log),
    readOnlyTransaction: (work) =>
      sql
        .transaction()
        .setIsolationLevel("repeatable read")
        .setAccessMode("read only")
        .execute(work),
    // Not Kysely's destroy(): it leaves a pool alone that was only used directly.
    [Symbol.asyncDispose]: async () => {
      if (!pool.ending) await pool.end();
    },
  };
}

/** A connection of one's own, not connected yet and without a limit on statements. */
export function newClient(
  connection: DatabaseConnection,
  applicationName: string,
  stream: () => Socket = () => new Socket(),
): pg.Client {
  return new pg.Client({
    ...clientConfig(connection, applicationName),
    connectionTimeoutMillis: CONNECT_MS_MAX,
    stream,
  });
}

/**
 * Whether the error says that the database is away, not that the statement was wrong: the same
 * request may work later. HTTP answers 503.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < CAUSES_MAX; depth += 1) {
    // A failed fetch() is a TypeError, and its causes look just like those of a database connection.
    if (cause instanceof TypeError) return false;
    const { code, message, syscall } = cause as Error & { code?: unknown; syscall?: unknown };
    if (UNAVAILABLE_MESSAGES.some((start) => message.startsWith(start))) return true;
    if (typeof code === "string") {
      const isNetwork = typeof syscall === "string" && NETWORK_SYSCALLS.has(syscall);
      if (UNAVAILABLE_STATES.has(code) || (isNetwork && code !== "EACCES")) return true;
    }
    // Several addresses of one host were tried.
    cause = cause instanceof AggregateError ? cause.errors[0] : cause.cause;
  }
  return false;
}

const CAUSES_MAX = 5;
const NETWORK_SYSCALLS: ReadonlySet<string> = new Set(["connect", "read", "write", "getaddrinfo"]);

/**
 * SQLSTATEs (Postgres' documentation, appendix A), and the code of a connection that died in silence.
 * Also those of a server that is there and lets nobody in or write: while it is maintained, restored,
 * or still a standby, and while a password is changed.
 */
const UNAVAILABLE_STATES: ReadonlySet<string> = new Set([
  "08000", // connection_exception
  "08001", // sqlclient_unable_to_establish_sqlconnection
  "08003", // connection_does_not_exist
  "08004", // sqlserver_rejected_establishment_of_sqlconnection
  "08006", // connection_failure
  "08P01", // protocol_violation: what connection poolers answer for a server that is away
  "25006", // read_only_sql_transaction
  "28000", // invalid_authorization_specification
  "28P01", // invalid_password
  "3D000", // invalid_catalog_name
  "53000", // insufficient_resources
  "53100", // disk_full
  "53200", // out_of_memory
  "53300", // too_many_connections
  "53400", // configuration_limit_exceeded
  "55000", // object_not_in_prerequisite_state: the database takes no connections
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "57P04", // database_dropped
  "57P05", // idle_session_timeout
  "58000", // system_error
  "58030", // io_error
  "ERR_DATABASE_SILENT",
]);

/** The driver gives these no code. */
const UNAVAILABLE_MESSAGES: readonly string[] = [
  "Connection terminated",
  "timeout exceeded when trying to connect",
  "timeout expired",
  "Client has encountered a connection error and is not queryable",
];

/** The driver, but that it prepares what comes often and has no name yet. */
function clientThatPrepares(frequent: FrequentStatements): typeof pg.Client {
  return class extends pg.Client {
    #isInTransaction = false;

    override query(...args: unknown[]): never {
      const [text, values, done] = args;
      let asked = args;
      if (typeof text === "string") {
        if (BEGINS.test(text)) this.#isInTransaction = true;
        else if (ENDS.test(text)) this.#isInTransaction = false;
        else if (Array.isArray(values) && values.length > 0) {
          const name = frequent.nameOf(text, this.#isInTransaction);
          if (name !== null) asked = [{ name, text, values }, done];
        }
      }
      return super.query(...(asked as [string])) as never; // One of its overloads.
    }
  };
}

const BEGINS = /^(?:begin|start transaction)/;
const ENDS = /^(?:commit|rollback)/;

function poolConfig(options: DatabaseOptions): pg.PoolConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_MS_MAX_DEFAULT;
  const config = {
    ...clientConfig(options.connection, options.applicationName),
    idle_in_transaction_session_timeout: options.idleTransactionMs ?? IDLE_TRANSACTION_MS_MAX,
  };
  if (statementTimeoutMs === 0) return config;
  return {
    ...config,
    statement_timeout: statementTimeoutMs,
    stream: () => socketWithDeadline(statementTimeoutMs * SILENT_TIMEOUTS_MAX),
  };
}

function clientConfig(connection: DatabaseConnection, applicationName: string): pg.ClientConfig {
  return {
    ...toPgConnection(connection),
    application_name: applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: { getTypeParser },
  };
}

function toPgConnection(connection: DatabaseConnection): pg.ClientConfig {
  if ("connectionString" in connection) {
    return { connectionString: reveal(connection.connectionString) };
  }
  const { password, ...rest } = connection;
  return password === undefined ? rest : { ...rest, password: reveal(password) };
}

function reveal(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value;
}

/**
 * Closes itself when the other side says nothing for so long that its own statement timeout must have
 * failed. TCP alone takes a quarter of an hour to notice that a path is dead.
 */
function socketWithDeadline(silenceMsMax: number): Socket {
  const socket = new Socket();
  socket.setTimeout(silenceMsMax, () => {
    const error = new Error(`no answer from the database for ${silenceMsMax} ms`);
    socket.destroy(Object.assign(error, { code: "ERR_DATABASE_SILENT" }));
  });
  return socket;
}

const getTypeParser = ((oid: number, format?: "text" | "binary"): unknown =>
  oid === pg.types.builtins.INT8 && format !== "binary"
    ? parseInt8
    : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser; // Overloads of one body.

/** Exact or an error: a rounded id or counter is worse than none. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is not a safe integer`);
  return value;
}

/**
 * Repeats on 40001 and 40P01 only, at once and at most three times: in both cases Postgres has undone
 * everything, and the other transaction that was in the way has gone on. Safe because `work` touches
 * nothing but the database. No wait: a deadlock has cost its second already.
 */
async function transactionWithRetry<T>(
  sql: Sql,
  work: (sql: Sql) => Promise<T>,
  log: Logger,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sql.transaction().execute(work);
    } catch (error) {
      const { code } = error as { code?: unknown };
      const mayRepeat = code === "40001" || code === "40P01";
      if (!mayRepeat || attempt === TRANSACTION_ATTEMPTS_MAX) throw error;
      log.info({ code, attempt }, "database transaction repeated");
    }
  }
}
