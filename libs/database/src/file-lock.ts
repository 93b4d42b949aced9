/**
 * A lock on a file. It is the kernel's: it ends with the process that holds it, however that ends, so
 * there is no stale lock to judge and no race to take one over.
 *
 * Node offers no file locks, but its SQLite takes one for an exclusive transaction.
 */
import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

/** Makes the file when it is absent. Null: somebody holds the lock, perhaps in this very process. */
export function tryLockFile(file: string): Disposable | null {
  // Only locked, never written.
  const lock = new DatabaseSync(file);
  try {
    lock.exec("pragma journal_mode = off; pragma locking_mode = exclusive; begin exclusive");
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
    throw error;
  }
  return { [Symbol.dispose]: () => lock.close() };
}
