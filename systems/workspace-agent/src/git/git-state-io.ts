/** The state of a repository, compared with its last commit, untracked files included. */
import { ok, type Result } from "@atelier/base/result";
import { GIT_FILES_MAX, type GitState } from "@atelier/contract/rpc/workspace/git";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { parseGitConfig, remoteUrlOf, withoutFilters } from "./git-config.ts";
import { parseNumstat, parseStatus, type GitStatus } from "./parse-status.ts";
import { runGit, type GitDeps } from "./run-git-io.ts";
import { LineCounter } from "./untracked-file-io.ts";

/** A repository that was found, and how git may look at it. */
export type Repository = {
  /** Its top directory. */
  readonly root: string;
  readonly gitDirectory: string;
  /** Where branches are: another one in linked work trees. */
  readonly commonDirectory: string;
  readonly options: readonly string[];
  readonly config: ReturnType<typeof parseGitConfig>;
};

export const SMALL_BYTES = 1024 * 1024;
export const LIST_BYTES_MAX = 16 * 1024 * 1024;
/** Names of paths are as usual, whatever people configured for themselves. */
export const DIFF_OPTIONS = [
  "--no-ext-diff",
  "--no-textconv",
  "--no-color",
  "--ignore-submodules=dirty",
  "--find-renames",
];

export async function findRepository(
  deps: GitDeps,
  directory: string,
  signal: AbortSignal,
): Promise<Result<Repository, WorkspaceFailure>> {
  const where = await runGit(deps, {
    directory,
    args: [
      "rev-parse",
      "--path-format=absolute",
      "--show-toplevel",
      "--git-dir",
      "--git-common-dir",
    ],
    bytesMax: SMALL_BYTES,
    signal,
  });
  if (!where.ok) return where;
  const [root = "", gitDirectory = "", commonDirectory = ""] = where.value.bytes
    .toString("utf8")
    .split("\n");
  const settings = await runGit(deps, {
    directory: root,
    args: ["config", "--list", "--show-scope", "-z"],
    bytesMax: SMALL_BYTES,
    signal,
  });
  if (!settings.ok) return settings;
  const config = parseGitConfig(settings.value.bytes.toString("utf8"));
  const options = withoutFilters(config.ownFilters);
  return ok({ root, gitDirectory, commonDirectory, options, config });
}

export type ReadStatus = GitStatus & {
  /** There are more files than these. */
  readonly isCut: boolean;
};

export async function readStatus(
  deps: GitDeps,
  { root, options }: Repository,
  signal: AbortSignal,
): Promise<Result<ReadStatus, WorkspaceFailure>> {
  const output = await runGit(deps, {
    directory: root,
    args: [
      ...options,
      "status",
      "--porcelain=v2",
      "-z",
      "--branch",
      "--untracked-files=all",
      "--ignore-submodules=dirty",
      "--find-renames",
    ],
    bytesMax: LIST_BYTES_MAX,
    signal,
  });
  if (!output.ok) return output;
  return ok({ ...parseStatus(output.value.bytes.toString("utf8")), isCut: output.value.isCut });
}

export async function readState(
  deps: GitDeps,
  repository: Repository,
  signal: AbortSignal,
): Promise<Result<GitState, WorkspaceFailure>> {
  const { root, config } = repository;
  const read = await readStatus(deps, repository, signal);
  if (!read.ok) return read;
  const status = read.value;
  const files = status.files.slice(0, GIT_FILES_MAX);
  const base = await headOf(deps, root, { commit: status.commit, signal });
  if (!base.ok) return base;
  const counts = await countLines(deps, repository, { base: base.value, signal });
  if (!counts.ok) return counts;
  const untracked = new LineCounter(root, deps.clock);
  const counted: GitState["files"] = [];
  for (const file of files) {
    signal.throwIfAborted();
    const own =
      file.status === "??" ? await untracked.count(file.path) : counts.value.get(file.path);
    counted.push({ ...file, ...(own ?? { added: 0, removed: 0, isBinary: false }) });
  }
  return ok({
    root,
    branch: status.branch,
    commit: status.commit,
    upstream: status.upstream,
    ahead: status.ahead,
    behind: status.behind,
    remoteUrl: remoteUrlOf(config, status),
    files: counted,
    isCut: status.isCut || status.files.length > files.length,
  });
}

export async function countLines(
  deps: GitDeps,
  { root, options }: Repository,
  { base, signal }: { readonly base: string; readonly signal: AbortSignal },
): Promise<Result<ReturnType<typeof parseNumstat>, WorkspaceFailure>> {
  const output = await runGit(deps, {
    directory: root,
    args: [...options, "diff", ...DIFF_OPTIONS, "--numstat", "-z", base, "--"],
    bytesMax: LIST_BYTES_MAX,
    signal,
  });
  return output.ok ? ok(parseNumstat(output.value.bytes.toString("utf8"))) : output;
}

/** Before the first commit everything is compared with nothing. */
export async function headOf(
  deps: GitDeps,
  directory: string,
  { commit, signal }: { readonly commit: string | null; readonly signal: AbortSignal },
): Promise<Result<string, WorkspaceFailure>> {
  if (commit !== null) return ok(commit);
  const args = ["hash-object", "-t", "tree", "/dev/null"];
  const empty = await runGit(deps, { directory, args, bytesMax: SMALL_BYTES, signal });
  return empty.ok ? ok(empty.value.bytes.toString("utf8").trim()) : empty;
}

/** Directories that git ignores as a whole, such as build output. */
export async function listIgnoredDirectories(
  deps: GitDeps,
  { root }: Repository,
  signal: AbortSignal,
): Promise<Result<readonly string[], WorkspaceFailure>> {
  const output = await runGit(deps, {
    directory: root,
    args: ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"],
    bytesMax: LIST_BYTES_MAX,
    signal,
  });
  if (!output.ok) return output;
  const paths = output.value.bytes.toString("utf8").split("\0");
  return ok(paths.filter((path) => path.endsWith("/")).map((path) => path.slice(0, -1)));
}
