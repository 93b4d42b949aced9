/**
 * Watches directories, with everything below them where that is asked for, and tells which paths
 * changed, gathered over a short time. Each directory has a watch of its own: so what is left out
 * costs nothing, and a limit holds. Symlinks are not followed.
 */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { watch, type FSWatcher, type Stats } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errorCode, tried } from "../paths/system-failure.ts";
import { isInside } from "../paths/workspace-path.ts";

export type WatchedTree = {
  /** A directory, without symlinks in its path. */
  readonly path: string;
  readonly recursive: boolean;
  /** Changes of this path are of no interest. */
  isIgnored(path: string): boolean;
  /** Nothing below this directory is of interest. */
  isClosed(directory: string): boolean;
};

export type TreeChange =
  | { readonly kind: "changed"; readonly paths: readonly string[] }
  /** More changed than is told one by one, or a watch was lost. */
  | { readonly kind: "overflow" };

/** Changes that come within this time are told together. */
const GATHERED_MS = 50;
const GATHERED_PATHS_MAX = 1_000;
/** The system has a limit for all programs of a user; this leaves the others most of it. */
export const WATCHED_DIRECTORIES_MAX = 8_192;

/** Watches all of them before it answers. `busy`: there are more directories than may be watched. */
export async function watchTrees(
  trees: readonly WatchedTree[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<TreeWatch, WorkspaceFailure>> {
  const watching = new TreeWatch(clock, signal);
  const started = await tried(trees[0]?.path ?? "", async () => {
    for (const tree of trees) {
      if (!(await watching.add(tree, tree.path))) return fail(TOO_MANY);
    }
    return ok({});
  });
  if (started.ok) return ok(watching);
  watching[Symbol.dispose]();
  return started;
}

const TOO_MANY: WorkspaceFailure = {
  code: "busy",
  message: "More directories are below it than can be watched: watch one further down.",
};

type NotedChange = {
  readonly tree: WatchedTree;
  /** The name came, went, or stands for another thing. */
  readonly isNew: boolean;
};

/** Reports paths that may have changed; the directories' own paths included. */
export class TreeWatch implements Disposable {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #watchers = new Map<string, FSWatcher>();
  /** The trees' own directories, and which they were when the watch began. */
  readonly #roots = new Map<string, Stats>();
  readonly #changed = new Map<string, NotedChange>();
  readonly #onAbort = (): void => this[Symbol.dispose]();
  #isOverflowing = false;
  #wake = Promise.withResolvers<void>();

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** False: a limit is reached. Throws as the system does. */
  async add(tree: WatchedTree, path: string): Promise<boolean> {
    if (path === tree.path) this.#roots.set(path, await lstat(path));
    if (this.#watchers.has(path)) return true;
    if (!this.#watchDirectory(tree, path)) return false;
    if (!tree.recursive) return true;
    for await (const entry of await opendir(path, { bufferSize: 256 })) {
      const below = join(path, entry.name);
      if (!entry.isDirectory() || tree.isIgnored(below) || tree.isClosed(below)) continue;
      this.#signal.throwIfAborted();
      try {
        if (!(await this.add(tree, below))) return false;
      } catch (error) {
        // It went away meanwhile, or is not for the agent's user to see.
        if (!["ENOENT", "EACCES", "ENOTDIR"].includes(errorCode(error) ?? "")) throw error;
      }
    }
    return true;
  }

  /** Until every watched tree is gone, or the signal aborts: then it throws the signal's reason. */
  async *changes(): AsyncGenerator<TreeChange> {
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {}); // It may abort when nobody waits.
    const abort = (): void => aborted.reject(this.#signal.reason as Error);
    this.#signal.addEventListener("abort", abort, { once: true });
    try {
      while (this.#watchers.size > 0) {
        this.#signal.throwIfAborted();
        if (this.#changed.size === 0 && !this.#isOverflowing) {
          await Promise.race([this.#wake.promise, aborted.promise]);
        }
        await this.#clock.sleep(GATHERED_MS, this.#signal);
        this.#wake = Promise.withResolvers();
        const change = await this.#take();
        if (change !== null) yield change;
      }
    } finally {
      this.#signal.removeEventListener("abort", abort);
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watchDirectory(tree: WatchedTree, path: string): boolean {
    if (this.#watchers.size >= WATCHED_DIRECTORIES_MAX) return false;
    let watcher: FSWatcher;
    try {
      watcher = watch(path, { encoding: "utf8" });
    } catch (error) {
      if (errorCode(error) === "ENOSPC" || errorCode(error) === "EMFILE") return false;
      throw error;
    }
    watcher.on("change", (kind, name) => {
      if (typeof name === "string")
        this.#note(join(path, name), { tree, isNew: kind === "rename" });
      else this.#overflow();
    });
    watcher.on("error", () => {
      this.#drop(path);
      this.#overflow();
    });
    this.#watchers.set(path, watcher);
    return true;
  }

  #note(path: string, change: NotedChange): void {
    if (change.tree.isIgnored(path)) return;
    const isNew = change.isNew || this.#changed.get(path)?.isNew === true;
    this.#changed.set(path, { ...change, isNew });
    if (this.#changed.size > GATHERED_PATHS_MAX) this.#overflow();
    this.#wake.resolve();
  }

  #overflow(): void {
    this.#isOverflowing = true;
    this.#wake.resolve();
  }

  /** Follows directories that came and went, also while nothing is told one by one. */
  async #take(): Promise<TreeChange | null> {
    const changed = [...this.#changed];
    this.#changed.clear();
    const paths = new Set<string>();
    for (const [path, change] of changed) {
      for (const each of await this.#follow(path, change)) paths.add(each);
    }
    for (const [root, before] of this.#roots) {
      const stats = await findStats(root);
      if (stats?.ino === before.ino && stats.birthtimeMs === before.birthtimeMs) continue;
      this.#roots.delete(root);
      this.#drop(root);
      paths.add(root);
    }
    const isOverflowing = this.#isOverflowing || paths.size > GATHERED_PATHS_MAX;
    this.#isOverflowing = false;
    if (isOverflowing) return { kind: "overflow" };
    return paths.size === 0 ? null : { kind: "changed", paths: [...paths].toSorted() };
  }

  /** The path, and what was in a new directory before it was watched. */
  async #follow(path: string, { tree, isNew }: NotedChange): Promise<readonly string[]> {
    // Another directory may have taken the place of the one that was watched.
    if (isNew) this.#drop(path);
    const stats = await findStats(path);
    if (stats === null) {
      // A directory that goes away tells it under its own name inside of itself.
      const parent = dirname(path);
      const isEcho = basename(path) === basename(parent) && (await findStats(parent)) === null;
      return isEcho ? [] : [path];
    }
    const isWatched = this.#watchers.has(path) || !tree.recursive || tree.isClosed(path);
    if (isWatched || !stats.isDirectory()) return [path];
    const before = new Set(this.#watchers.keys());
    try {
      if (!(await this.add(tree, path))) this.#overflow();
    } catch {
      this.#overflow(); // It went away again, or it may not be seen.
    }
    const added = [...this.#watchers.keys()].filter((each) => !before.has(each));
    const found = [path];
    for (const directory of added) {
      found.push(...(await listNames(directory)).filter((each) => !tree.isIgnored(each)));
    }
    return found;
  }

  #drop(path: string): void {
    for (const [each, watcher] of this.#watchers) {
      if (!isInside(path, each)) continue;
      watcher.close();
      this.#watchers.delete(each);
    }
  }
}

async function findStats(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch {
    return null; // Gone, or out of sight: nothing to watch either way.
  }
}

async function listNames(directory: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(directory)) {
      names.push(join(directory, name));
      if (names.length > GATHERED_PATHS_MAX) break;
    }
  } catch {
    // It went away: its own path is told.
  }
  return names;
}
