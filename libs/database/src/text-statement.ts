/**
 * Statements of the hot path, as one piece of bytes each: whoever writes to a process that sleeps pays for
 * waking it, and the driver's own query is four writes, a description of rows that is asked for each time, and
 * an object for each row.
 *
 * A connection prepares one at its first use. Values are texts as Postgres reads them, and so is what comes back.
 */
import type { Duplex } from "node:stream";
import type pg from "pg";

export type TextStatement = {
  /** Of the statement on its connections: one name, one text. */
  readonly name: string;
  readonly text: string;
};

/** As Postgres reads a value of whatever type. */
export type TextValue = string | null;

/** Columns of one row in their order, as Postgres prints them. */
export type TextRow = readonly (string | null)[];

export function runTextStatement(
  pool: pg.Pool,
  statement: TextStatement,
  values: readonly TextValue[],
): Promise<readonly TextRow[]> {
  const run = new TextRun(statement, values);
  // What the pool answers for anything that submits itself: its types tell of clients only.
  return pool.query(run as unknown as pg.Submittable) as unknown as Promise<readonly TextRow[]>;
}

/** What is used of the driver's connection. */
type Wire = {
  readonly stream: Duplex;
  readonly parsedStatements: Readonly<Record<string, string | undefined>>;
  readonly submittedNamedStatements: Record<string, string | undefined>;
  parse(query: TextStatement): void;
};

type Done = (error: Error | null, rows?: readonly TextRow[]) => void;

/** What the driver's client asks of a query: it calls these as messages arrive. */
class TextRun {
  readonly name: string;
  readonly text: string;
  /** Set by the client. */
  callback: Done | null = null;
  readonly values: readonly TextValue[];
  readonly #rows: TextRow[] = [];

  constructor({ name, text }: TextStatement, values: readonly TextValue[]) {
    this.name = name;
    this.text = text;
    this.values = values;
  }

  submit(connection: Wire): Error | null {
    const { name, text } = this;
    const { stream, parsedStatements, submittedNamedStatements } = connection;
    const known = parsedStatements[name] ?? submittedNamedStatements[name];
    if (known !== undefined && known !== text) {
      return new Error(`another statement is prepared as ${name}`);
    }
    if (!stream.writable) return null; // The client learns of it by itself.
    const bytes = toMessages(name, this.values);
    if (known === text) {
      stream.write(bytes);
      return null;
    }
    stream.cork();
    connection.parse({ name, text });
    submittedNamedStatements[name] = text;
    stream.write(bytes);
    stream.uncork();
    return null;
  }

  handleDataRow({ fields }: { readonly fields: TextRow }): void {
    this.#rows.push(fields);
  }

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.callback?.(error);
  }

  handleReadyForQuery(): void {
    this.callback?.(null, this.#rows);
  }
}

const BIND = 0x42;
/** As the length of a value. */
const NULL = -1;
/** Execute all of the unnamed portal, and Sync. */
const EXECUTE_AND_SYNC = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]);

/** Bind, Execute and Sync: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function toMessages(name: string, values: readonly TextValue[]): Buffer {
  const lengths = values.map((value) => (value === null ? NULL : Buffer.byteLength(value)));
  // Its own length, the portal's empty name, the statement's, and three counts: formats, values, formats.
  const fixed = 4 + 1 + Buffer.byteLength(name) + 1 + 2 + 2 + 2;
  const bindLength = lengths.reduce((sum, length) => sum + 4 + Math.max(length, 0), fixed);
  const bytes = Buffer.allocUnsafe(1 + bindLength + EXECUTE_AND_SYNC.length);
  let at = bytes.writeUInt8(BIND, 0);
  at = bytes.writeInt32BE(bindLength, at);
  at = bytes.writeUInt8(0, at);
  at += bytes.write(name, at);
  at = bytes.writeUInt8(0, at);
  // No formats: all values are texts.
  at = bytes.writeInt16BE(0, at);
  at = bytes.writeInt16BE(values.length, at);
  for (const [index, value] of values.entries()) {
    at = bytes.writeInt32BE(lengths[index] ?? 0, at);
    if (value !== null) at += bytes.write(value, at);
  }
  at = bytes.writeInt16BE(0, at);
  EXECUTE_AND_SYNC.copy(bytes, at);
  return bytes;
}
