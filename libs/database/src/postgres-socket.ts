/**
 * The directory of a Postgres socket: private, short enough for the system's limit, and with a name
 * that nobody can take in advance.
 */
import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmdirSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { mayReach, type ServerUser } from "./postgres-user.ts";

const PREFIX = "atelier-postgres-";
/** The system's limit for the whole path is 107 bytes, 103 on macOS. */
const PARENT_BYTES_MAX = 60;

/** Only the user who runs Postgres (and root) may enter it: that is the database's lock. */
export function makeSocketDirectory(user: ServerUser): string {
  const parent = tmpdir();
  const isUsable = Buffer.byteLength(parent) <= PARENT_BYTES_MAX && mayReach(user, parent);
  const directory = mkdtempSync(join(isUsable ? parent : "/tmp", PREFIX));
  if (user.isOther) chownSync(directory, user.uid, user.gid);
  return directory;
}

/** Makes it again under the same name if something has cleared it away. */
export function restoreSocketDirectory(directory: string, user: ServerUser): void {
  if (lstatSync(directory, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(directory, { mode: 0o700 });
  if (user.isOther) chownSync(directory, user.uid, user.gid);
}

/** The name may come from a file, so only what looks like ours is removed, and nothing below it. */
export function removeSocketDirectory(directory: string): void {
  if (!basename(directory).startsWith(PREFIX)) return;
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  for (const name of [".s.PGSQL.5432", ".s.PGSQL.5432.lock"]) {
    try {
      unlinkSync(join(directory, name));
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOENT") throw error;
    }
  }
  rmdirSync(directory);
}
