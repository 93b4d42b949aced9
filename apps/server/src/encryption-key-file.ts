/**
 * The encryption key of a deployment that configures none: made once, kept in the data directory,
 * readable by its owner only. Whoever loses it loses the stored credentials of model providers.
 */
import { assert } from "@atelier/base/assert";
import type { Random } from "@atelier/base/random";
import { Secret } from "@atelier/base/secret";
import { StartError } from "@atelier/host/start-error";
import { createHash } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const FILE = "encryption.key";
const KEY_BYTES = 32;

/** Two servers that start at once on one directory get the same key. */
export function loadOrMakeEncryptionKey(dataDir: string, random: Random): Secret {
  const found = findEncryptionKey(dataDir);
  if (found !== null) return found;
  makeKey(dataDir, random);
  const made = findEncryptionKey(dataDir);
  assert(made !== null, "a key that was made, by whomever, stays");
  return made;
}

/** Null when none was made yet. */
export function findEncryptionKey(dataDir: string): Secret | null {
  const path = join(dataDir, FILE);
  const text = readIfPresent(path)?.trim();
  if (text === undefined) return null;
  if (Buffer.from(text, "base64").length === KEY_BYTES) return new Secret(text);
  throw new StartError(
    `${path} does not hold the base64 of ${KEY_BYTES} bytes. Restore it from a backup; without the ` +
      "right key, stored credentials cannot be read.",
  );
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isErrorOf(error, "ENOENT")) return undefined;
    throw error;
  }
}

function isErrorOf(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Complete before it has its name, and the first to get the name wins. */
function makeKey(dataDir: string, random: Random): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // 64 characters hold 381 random bits; hashing packs them into exactly 256.
  const key = createHash("sha256").update(random.alphanumeric(64)).digest("base64");
  const draft = join(dataDir, `${FILE}.${random.uuid()}`);
  try {
    writeFileSync(draft, `${key}\n`, { mode: 0o600, flag: "wx", flush: true });
    linkSync(draft, join(dataDir, FILE));
    flushDirectory(dataDir);
  } catch (error) {
    if (!isErrorOf(error, "EEXIST")) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A power cut must not take away a name under which credentials were already sealed. */
function flushDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
