/** Where the database is, in a form that survives the way to another thread: secrets do not. */
import { Secret } from "@atelier/base/secret";
import type { DatabaseConnection } from "@atelier/database/database";

export type PlainConnection =
  | { readonly host: string; readonly port: number; readonly user: string; readonly password?: string; readonly database: string } // prettier-ignore
  | { readonly connectionString: string };

/** TLS is said by the connection string: options of it as objects are for tests alone. */
export function toPlainConnection(connection: DatabaseConnection): PlainConnection {
  if ("connectionString" in connection) {
    return { connectionString: plain(connection.connectionString) };
  }
  const { host, port, user, database, password } = connection;
  return {
    host,
    port,
    user,
    database,
    ...(password !== undefined && { password: plain(password) }),
  };
}

export function fromPlainConnection(connection: PlainConnection): DatabaseConnection {
  if ("connectionString" in connection) {
    return { connectionString: new Secret(connection.connectionString) };
  }
  const { password, ...rest } = connection;
  return password === undefined ? rest : { ...rest, password: new Secret(password) };
}

function plain(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value;
}
