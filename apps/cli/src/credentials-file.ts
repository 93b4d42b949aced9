/**
 * The stored sign-ins on disk: `credentials.json`, readable by its owner only.
 *
 * It is replaced as a whole through a rename, so a crash leaves the old file or the new one. Two
 * sign-ins at the same moment: the later one wins.
 */
import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Random } from "@atelier/base/random";
import { plainFailure, type CliFailure } from "./cli-failure.ts";
import {
  formatCredentials,
  NO_CREDENTIALS,
  parseCredentials,
  type Credentials,
} from "./credentials.ts";

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

export async function loadCredentials(dir: string): Promise<Result<Credentials, CliFailure>> {
  const path = join(dir, "credentials.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return ok(NO_CREDENTIALS);
    return fail(plainFailure(`Cannot read ${path} (${codeOf(error)}).`));
  }
  const credentials = parseCredentials(text);
  if (credentials !== null) return ok(credentials);
  return fail(
    plainFailure(`${path} is not a credentials file.`, "Remove it and run `atelier login`."),
  );
}

export async function saveCredentials(
  dir: string,
  credentials: Credentials,
  random: Random,
): Promise<Result<void, CliFailure>> {
  const path = join(dir, "credentials.json");
  const draft = `${path}.${random.alphanumeric(12)}.tmp`;
  try {
    await mkdir(dir, { recursive: true, mode: DIRECTORY_MODE });
    // The directory may be older than we are, and wider.
    await chmod(dir, DIRECTORY_MODE);
    {
      // `wx`: never into a file or link that somebody else prepared.
      await using file = await open(draft, "wx", FILE_MODE);
      await file.writeFile(formatCredentials(credentials));
      await file.sync();
    }
    await rename(draft, path);
    return ok(undefined);
  } catch (error) {
    await rm(draft, { force: true });
    return fail(plainFailure(`Cannot write ${path} (${codeOf(error)}).`));
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
