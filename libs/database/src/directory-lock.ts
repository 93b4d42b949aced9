/** One server per data directory. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tryLockFile } from "./file-lock.ts";

/** Throws an error that names the process which holds it. */
export function lockDirectory(directory: string): Disposable {
  // Who holds it is told in another file, since nobody can read the locked one.
  const holderFile = join(directory, "server.pid");
  const lock = tryLock(directory);
  if (lock === null) {
    throw new Error(
      `the data directory ${directory} is used by another Atelier server ` +
        `(process ${readHolder(holderFile)}): stop that one, or give this one its own --data-dir`,
    );
  }
  writeFileSync(holderFile, `${process.pid}\n`);
  return lock;
}

function tryLock(directory: string): Disposable | null {
  try {
    return tryLockFile(join(directory, "server.lock"));
  } catch (cause) {
    throw new Error(`lock the data directory ${directory}`, { cause });
  }
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "unknown"; // It holds the lock, but has not written its number yet.
  }
}
