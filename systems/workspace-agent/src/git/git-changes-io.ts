/** What changed in the repositories of a directory since given commits, in numbers. Each has limits. */
import { ok, type Result } from "@atelier/base/result";
import {
  GIT_CHANGED_REPOSITORIES_MAX,
  GIT_FILES_MAX,
  type GitChanges,
} from "@atelier/contract/rpc/workspace/git";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { baseOfChanges } from "./git-base-io.ts";
import { remoteUrlOf } from "./git-config.ts";
import { countLines, findRepository, readStatus, type Repository } from "./git-state-io.ts";
import type { LineCounts } from "./parse-status.ts";
import type { GitDeps } from "./run-git-io.ts";
import { LineCounter } from "./untracked-file-io.ts";

const DEPTH_MAX = 2;
/** Directories whose entries are read, and entries that are looked at. */
const DIRECTORIES_MAX = 200;
const ENTRIES_MAX = 2_000;
/** Others' code, of which there is much. Hidden directories are left out too. */
const SKIPPED = new Set(["node_modules", "vendor"]);

export type ChangesRequest = {
  readonly since: Readonly<Record<string, string | null>>;
  readonly othersAreNew: boolean;
  readonly filesMax: number;
};

export type DirectoryChanges = {
  readonly directory: string;
  readonly repositories: GitChanges[];
  readonly isCut: boolean;
};

export async function readChanges(
  deps: GitDeps,
  directory: string,
  request: ChangesRequest,
  signal: AbortSignal,
): Promise<Result<DirectoryChanges, WorkspaceFailure>> {
  const own = await findRepository(deps, directory, signal);
  if (!own.ok && !isNone(own.failure)) return own;
  const below = await listRepositories(directory);
  const found = new Map(own.ok ? [[own.value.root, own.value]] : []);
  for (const path of below.paths) {
    if (found.size >= GIT_CHANGED_REPOSITORIES_MAX) break;
    const repository = await findRepository(deps, path, signal);
    // One that git refuses to look at does not hide the others.
    if (repository.ok) found.set(repository.value.root, repository.value);
  }
  const repositories: GitChanges[] = [];
  for (const repository of found.values()) {
    const changes = await changesOf(deps, repository, request, signal);
    if (!changes.ok) return changes;
    repositories.push(changes.value);
  }
  const isCut = below.isCut || below.paths.length > GIT_CHANGED_REPOSITORIES_MAX;
  return ok({ directory, repositories, isCut });
}

function isNone({ code, message }: WorkspaceFailure): boolean {
  // A bare repository has no files; a machine without git is something else.
  return code === "not_found" || (code === "unsupported" && message.includes("without files"));
}

async function changesOf(
  deps: GitDeps,
  repository: Repository,
  { since: known, othersAreNew, filesMax }: ChangesRequest,
  signal: AbortSignal,
): Promise<Result<GitChanges, WorkspaceFailure>> {
  const { root, config } = repository;
  const status = await readStatus(deps, repository, signal);
  if (!status.ok) return status;
  const { branch, commit, upstream, ahead, behind, files, isCut } = status.value;
  const remoteUrl = remoteUrlOf(config, status.value);
  const since = root in known ? (known[root] ?? null) : isNew() ? null : commit;
  const base = await baseOfChanges(deps, root, { commit, since, signal });
  if (!base.ok) return base;
  const counted = await countLines(deps, repository, { base: base.value, signal });
  if (!counted.ok) return counted;
  // Directories are repositories of their own.
  const untracked = files.filter(({ status: letters, path }) => {
    return letters === "??" && !path.endsWith("/");
  });
  const counts = new Map(counted.value);
  const counter = new LineCounter(root, deps.clock);
  for (const { path } of untracked.slice(0, GIT_FILES_MAX)) {
    signal.throwIfAborted();
    counts.set(path, await counter.count(path));
  }
  const changedFiles = counted.value.size + untracked.length;
  return ok({
    ...{ root, branch, commit, upstream, ahead, behind, remoteUrl, since },
    ...sumOf(counts.values()),
    changedFiles,
    files: [...counts].slice(0, filesMax).map(([path, lines]) => ({ path, ...lines })),
    isCut:
      isCut ||
      counter.isIncomplete ||
      untracked.length > GIT_FILES_MAX ||
      (filesMax > 0 && changedFiles > filesMax),
  });

  function isNew(): boolean {
    return othersAreNew && remoteUrl === null;
  }
}

function sumOf(counts: Iterable<LineCounts>): Pick<GitChanges, "added" | "removed"> {
  let [added, removed] = [0, 0];
  for (const lines of counts) {
    added += lines.added;
    removed += lines.removed;
  }
  return { added, removed };
}

/** Directories with a `.git`, the nearest first. A repository's own inner directories count, too. */
async function listRepositories(
  top: string,
): Promise<{ readonly paths: readonly string[]; readonly isCut: boolean }> {
  const paths: string[] = [];
  let level = [top];
  let [directories, entries] = [0, 0];
  for (let depth = 0; depth < DEPTH_MAX; depth += 1) {
    const next: string[] = [];
    for (const directory of level) {
      directories += 1;
      for (const name of await directoriesIn(directory)) {
        entries += 1;
        if (directories > DIRECTORIES_MAX || entries > ENTRIES_MAX) return { paths, isCut: true };
        const path = join(directory, name);
        next.push(path);
        if (await isThere(join(path, ".git"))) paths.push(path);
      }
    }
    level = next;
  }
  return { paths, isCut: false };
}

/** Empty where they may not be seen. Links are not followed. */
async function directoriesIn(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map(({ name }) => name)
      .filter((name) => !SKIPPED.has(name))
      .toSorted();
  } catch {
    return [];
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}
