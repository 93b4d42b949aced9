/**
 * The list of migrations with their checksums. It only grows: a migration that stands in it has run
 * on somebody's database, so a changed one is refused instead of listed anew.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadMigrations } from "@atelier/database/migrate";
import { read } from "./source-files.ts";

export const CHECKSUMS_FILE = "libs/database/migrations/checksums.json";

export function renderChecksums(root: string): string {
  const listed = existsSync(join(root, CHECKSUMS_FILE))
    ? (JSON.parse(read(root, CHECKSUMS_FILE)) as Record<string, string>) // Made below.
    : {};
  const present = loadMigrations(join(root, "libs/database/migrations"));
  const checksums = Object.fromEntries(present.map(({ file, checksum }) => [file, checksum]));
  for (const [file, checksum] of Object.entries(listed)) {
    if (checksums[file] === checksum) continue;
    throw new Error(
      `${file} has ${file in checksums ? "changed" : "gone"} after it was listed in ${CHECKSUMS_FILE}: ` +
        "databases that have it would refuse to start. Restore it and write a new migration. " +
        "If it was never committed, delete its line.",
    );
  }
  return `${JSON.stringify(checksums, null, 2)}\n`;
}
