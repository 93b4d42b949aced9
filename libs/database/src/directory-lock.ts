/**
 * One server per data directory. The lock is the kernel's: it ends with the process that holds it,
 * however that ends, so there is no stale lock to judge and no race to take one over.
 *
 * Node offers no file locks, but its SQLite takes one for an exclusive transaction.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

/** Throws an error that names the process which holds it. */
export function lockDirectory(directory: string): Disposable {
  // Only locked, never written: who holds it is told in another file, since nobody can read this one.
  const holderFile = join(directory, "server.pid");
  const lock = new DatabaseSync(join(directory, "server.lock"));
  try {
    lock.exec("pragma journal_mode = off; pragma locking_mode = exclusive; begin exclusive");
  } catch (cause) {
    lock.close();
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) {
      throw new Error(`lock the data directory ${directory}`, { cause });
    }
    throw new Error(
      `the data directory ${directory} is used by another Atelier server ` +
        `(process ${readHolder(holderFile)}): stop that one, or give this one its own --data-dir`,
      { cause },
    );
  }
  writeFileSync(holderFile, `${process.pid}\n`);
  return { [Symbol.dispose]: () => lock.close() };
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "unknown"; // It holds the lock, but has not written its number yet.
  }
}
