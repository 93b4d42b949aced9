/**
 * Where a path really is, and whether a call may act there. Symlinks are followed before the root is
 * compared, those of parents too; what is opened later is compared again (held-directory-io).
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { lstat, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { errorCode, orAbsent } from "../paths/system-failure.ts";
import { isInside, parsePath } from "../paths/workspace-path.ts";

/** A path as a caller names it. */
export type NamedPath = { readonly path: string; readonly root: string };

export type RealPath = {
  /** Absolute, with symlinks as they were named. */
  readonly named: string;
  /** Without symlinks. There may be nothing. */
  readonly real: string;
  /** Where the call must stay. Null: anywhere. */
  readonly realRoot: string | null;
};

/** As many symlinks as the system itself follows. */
const SYMLINKS_MAX = 40;

/** Follows a symlink at the path's end too: for what acts on content. */
export function resolveTarget(
  named: NamedPath,
  homeDirectory: string,
): Promise<Result<RealPath, WorkspaceFailure>> {
  return resolveNamed(named, homeDirectory, realTarget);
}

/** Leaves a symlink at the path's end as it is: for what acts on names. */
export function resolveEntry(
  named: NamedPath,
  homeDirectory: string,
): Promise<Result<RealPath, WorkspaceFailure>> {
  return resolveNamed(named, homeDirectory, async (path) =>
    path === "/" ? path : join(await realTarget(dirname(path)), basename(path)),
  );
}

export function outsideRoot(path: string): Result<never, WorkspaceFailure> {
  return fail({
    code: "outside_root",
    message: `${path} leads out of the directory in which this call may act.`,
  });
}

async function resolveNamed(
  { path, root }: NamedPath,
  homeDirectory: string,
  follow: (path: string) => Promise<string>,
): Promise<Result<RealPath, WorkspaceFailure>> {
  const named = parsePath(path, homeDirectory);
  if (!named.ok) return named;
  const realRoot = await resolveRoot(root, homeDirectory);
  if (!realRoot.ok) return realRoot;
  const real = await follow(named.value);
  if (realRoot.value !== null && !isInside(realRoot.value, real)) return outsideRoot(path);
  return ok({ named: named.value, real, realRoot: realRoot.value });
}

async function resolveRoot(
  root: string,
  homeDirectory: string,
): Promise<Result<string | null, WorkspaceFailure>> {
  if (root === "") return ok(null);
  const path = parsePath(root, homeDirectory);
  if (!path.ok) return path;
  const real = await orAbsent(realpath(path.value));
  return real === null
    ? fail({ code: "not_found", message: `The root ${root} does not exist.` })
    : ok(real);
}

/** The real path, also of what does not exist yet: by its nearest parent that does. */
async function realTarget(path: string, symlinksLeft = SYMLINKS_MAX): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT" || symlinksLeft === 0) throw error;
  }
  const found = await orAbsent(lstat(path));
  const parent = await realTarget(dirname(path), symlinksLeft);
  if (found === null || !found.isSymbolicLink()) return join(parent, basename(path));
  // A symlink to what does not exist yet.
  return realTarget(resolve(parent, await readlink(path)), symlinksLeft - 1);
}
