/** The file that the embedded Postgres writes its log to. Made smaller at a start, never while in use. */
import { closeSync, fstatSync, openSync, readFileSync, renameSync, statSync } from "node:fs";

const BYTES_MAX = 10_000_000;
const TAIL_CHARACTERS = 4_000;

export type PostgresLog = Disposable & {
  /** To hand to the process. */
  readonly descriptor: number;
  /** The end of what was written since it was opened. */
  readTail(): string;
};

/** Appends. A file that has grown too big becomes `<file>.1`, in place of the one before. */
export function openPostgresLog(file: string): PostgresLog {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > BYTES_MAX) renameSync(file, `${file}.1`);
  const descriptor = openSync(file, "a", 0o600);
  const start = fstatSync(descriptor).size;
  return {
    descriptor,
    readTail: () => readFileSync(file).subarray(start).toString("utf8").slice(-TAIL_CHARACTERS),
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}
