/**
 * The state of a repository as it changes. Idle, it costs watches and no process. After a change git
 * is asked, not more often than every half second, and ever less often the longer git takes.
 */
import type { Result } from "@atelier/base/result";
import type { GitState } from "@atelier/contract/rpc/workspace/git";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { basename, join } from "node:path";
import { isInside } from "../paths/workspace-path.ts";
import { isClosed, isLeftOut } from "../watching/left-out.ts";
import { watchTrees, type TreeWatch, type WatchedTree } from "../watching/watch-trees-io.ts";
import {
  findRepository,
  listIgnoredDirectories,
  readState,
  type Repository,
} from "./git-state-io.ts";
import type { GitDeps } from "./run-git-io.ts";

const BETWEEN_MS_MIN = 500;
/** So many times as long as git took is waited before it is asked again. */
const REST_FACTOR = 4;
/** Where there are more directories than can be watched. */
const POLL_MS = 5_000;

/** Files that decide where the repository is, and what is ignored in it. */
const BEGIN_ANEW = new Set([".git", ".gitignore", "config", "exclude"]);

/** Ends when the repository goes away; the signal's abort throws its reason. */
export async function* watchGit(
  deps: GitDeps,
  directory: string,
  signal: AbortSignal,
): AsyncGenerator<GitState> {
  const looks = new Looks(deps, signal);
  let told = "";
  for (;;) {
    const repository = await findRepository(deps, directory, signal);
    if (!repository.ok) return;
    using watching = await startWatch(deps, repository.value, signal);
    for await (const isAnew of nudges(deps, watching, signal)) {
      const state = await looks.at(repository.value);
      // Git cannot look now: the next look begins anew, and finds out whether it can.
      if (!state.ok) break;
      const text = JSON.stringify(state.value);
      if (text !== told) yield state.value;
      told = text;
      if (isAnew) break;
    }
  }
}

/** Looks at repositories with rests between. */
class Looks {
  readonly #deps: GitDeps;
  readonly #signal: AbortSignal;
  #restUntilMs = 0;

  constructor(deps: GitDeps, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
  }

  async at(repository: Repository): Promise<Result<GitState, WorkspaceFailure>> {
    const { clock } = this.#deps;
    const leftMs = this.#restUntilMs - clock.monotonicMs();
    if (leftMs > 0) await clock.sleep(leftMs, this.#signal);
    const startMs = clock.monotonicMs();
    const state = await readState(this.#deps, repository, this.#signal);
    const endMs = clock.monotonicMs();
    const restMs = state.ok ? Math.max(BETWEEN_MS_MIN, REST_FACTOR * (endMs - startMs)) : POLL_MS;
    this.#restUntilMs = endMs + restMs;
    return state;
  }
}

/** Once at first, then after changes. True: what is ignored, or the repository itself, may be another. */
async function* nudges(
  { clock }: GitDeps,
  watching: TreeWatch | null,
  signal: AbortSignal,
): AsyncGenerator<boolean> {
  yield false;
  if (watching === null) {
    await clock.sleep(POLL_MS, signal);
    yield true;
    return;
  }
  for await (const change of watching.changes()) {
    const paths = change.kind === "changed" ? change.paths : [];
    yield paths.some((path) => BEGIN_ANEW.has(basename(path)));
  }
  yield true;
}

/** Null: it cannot be watched, and is looked at from time to time. */
async function startWatch(
  deps: GitDeps,
  repository: Repository,
  signal: AbortSignal,
): Promise<TreeWatch | null> {
  const { root, gitDirectory, commonDirectory } = repository;
  const ignored = await listIgnoredDirectories(deps, repository, signal);
  const closed = new Set((ignored.ok ? ignored.value : []).map((path) => join(root, path)));
  const files: WatchedTree = {
    path: root,
    recursive: true,
    isIgnored: (path) =>
      isLeftOut(root, path) || [...parentsOf(root, path)].some((each) => closed.has(each)),
    isClosed: (path) => isClosed(path) || closed.has(path),
  };
  const isLock = (path: string): boolean => path.endsWith(".lock");
  // HEAD and the index, but not the objects; and the branches.
  const own = (path: string, recursive: boolean): WatchedTree => ({
    path,
    recursive,
    isIgnored: isLock,
    isClosed: () => false,
  });
  const trees = [files, own(gitDirectory, false), own(join(commonDirectory, "refs"), true)];
  if (!isInside(gitDirectory, commonDirectory)) trees.push(own(commonDirectory, false));
  const watching = await watchTrees(trees, deps.clock, signal);
  return watching.ok ? watching.value : null;
}

function* parentsOf(root: string, path: string): Generator<string> {
  for (let at = path.lastIndexOf("/"); at > root.length; at = path.lastIndexOf("/", at - 1)) {
    yield path.slice(0, at);
  }
}
