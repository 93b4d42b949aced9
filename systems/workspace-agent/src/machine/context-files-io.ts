/**
 * Files that tell a model how to work somewhere: instructions and skills (contract, workspace/machine).
 * Whoever made the repository wrote them: no symlink takes anything from outside of it, and nothing is
 * longer than its limit.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  CONTEXT_BYTES_MAX,
  CONTEXT_FILE_BYTES_MAX,
  CONTEXT_FILES_MAX,
  type ContextFile,
} from "@atelier/contract/rpc/workspace/machine";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { constants, lstat, open, readdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { tried } from "../paths/system-failure.ts";
import { isInside, parsePath } from "../paths/workspace-path.ts";
import { readFrontMatter } from "./front-matter.ts";

const INSTRUCTIONS = ["AGENTS.md", "CLAUDE.md"];
/** The first that has a skill of a name is the one that counts. */
const SKILL_DIRECTORIES = [".agents/skills", ".claude/skills"];
const SKILL_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** Directories of skills that are looked through in one place. */
const SKILLS_MAX = 200;
/** A repository that is nested deeper is looked at from its inside only. */
const LEVELS_MAX = 64;

export type ContextPlaces = {
  /** What `~` means. */
  readonly homeDirectory: string;
  /** Where to look when nothing else is said. */
  readonly defaultDirectory: string;
};

export function readContextFiles(
  { homeDirectory, defaultDirectory }: ContextPlaces,
  directory: string,
): Promise<Result<{ readonly files: ContextFile[] }, WorkspaceFailure>> {
  return tried(directory, async () => {
    const named = parsePath(directory === "" ? defaultDirectory : directory, homeDirectory);
    if (!named.ok) return named;
    const inner = await realpath(named.value);
    if (!(await lstat(inner)).isDirectory()) {
      return fail({ code: "not_a_directory", message: `${directory} is not a directory.` });
    }
    const home = await realpath(homeDirectory);
    const places = await placesFrom(inner, home);
    const reader = new ContextReader();
    for (const place of places) await reader.readInstructions(place);
    for (const place of places.toReversed()) await reader.readSkills(place);
    return ok({ files: [...reader.files] });
  });
}

/** A directory to look in, and what its files may not lead out of. */
type Place = { readonly path: string; readonly boundary: string };

/** The home directory first, then from the repository's top down to the directory. */
async function placesFrom(inner: string, home: string): Promise<Place[]> {
  const levels: string[] = [];
  let top: string | null = null;
  for (let at = inner; levels.length < LEVELS_MAX; at = dirname(at)) {
    levels.unshift(at);
    if (await exists(join(at, ".git"))) top = at;
    if (top !== null || at === "/") break;
  }
  const repository = top === null ? [inner] : levels;
  const boundary = top ?? inner;
  const places = repository.map((path) => ({ path, boundary }));
  return repository.includes(home) ? places : [{ path: home, boundary: home }, ...places];
}

class ContextReader {
  readonly files: ContextFile[] = [];
  readonly #seen = new Set<string>();
  readonly #skills = new Set<string>();
  #bytesLeft = CONTEXT_BYTES_MAX;

  async readInstructions({ path, boundary }: Place): Promise<void> {
    for (const name of INSTRUCTIONS) {
      const file = await this.#read(join(path, name), boundary);
      if (file !== null)
        this.files.push({ kind: "instructions", name: "", description: "", ...file });
    }
  }

  async readSkills({ path, boundary }: Place): Promise<void> {
    for (const directory of SKILL_DIRECTORIES) {
      const names = await listNames(join(path, directory));
      for (const name of names.filter((each) => SKILL_NAME.test(each)).slice(0, SKILLS_MAX)) {
        if (this.#skills.has(name)) continue;
        const file = await this.#read(join(path, directory, name, "SKILL.md"), boundary);
        if (file === null) continue;
        this.#skills.add(name);
        const description = readFrontMatter(file.content).get("description") ?? "";
        this.files.push({ kind: "skill", name, description, ...file });
      }
    }
  }

  /** Null: it is not there, was read under another name, or lies outside. */
  async #read(
    path: string,
    boundary: string,
  ): Promise<Pick<ContextFile, "path" | "content" | "isCut"> | null> {
    if (this.files.length >= CONTEXT_FILES_MAX) return null;
    const bytesMax = Math.min(CONTEXT_FILE_BYTES_MAX, this.#bytesLeft);
    const read = await readStart(path, { boundary, bytesMax, seen: this.#seen });
    if (read === null) return null;
    this.#bytesLeft -= read.bytes.byteLength;
    return { path, content: textOf(read.bytes), isCut: read.isCut };
  }
}

async function readStart(
  path: string,
  {
    boundary,
    bytesMax,
    seen,
  }: { readonly boundary: string; readonly bytesMax: number; readonly seen: Set<string> },
): Promise<{ readonly bytes: Buffer; readonly isCut: boolean } | null> {
  try {
    const real = await realpath(path);
    if (!isInside(boundary, real) || seen.has(real)) return null;
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
    await using file = await open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    const stats = await file.stat();
    if (!stats.isFile()) return null;
    seen.add(real);
    const buffer = Buffer.alloc(Math.min(stats.size, bytesMax));
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, 0);
    return { bytes: buffer.subarray(0, bytesRead), isCut: stats.size > bytesMax };
  } catch {
    return null; // It is not there, or may not be read.
  }
}

/** Without half a character at the end of what was cut. */
function textOf(bytes: Buffer): string {
  return new TextDecoder().decode(bytes, { stream: true });
}

async function listNames(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch {
    return []; // There are none.
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}
