/** Tells what changes below a directory, in the names by which the caller knows it. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { lstat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isClosed, isLeftOut } from "../watching/left-out.ts";
import { watchTrees, type TreeWatch } from "../watching/watch-trees-io.ts";
import type { FilesDeps } from "./files-deps.ts";
import { resolveTarget, type NamedPath, type RealPath } from "./real-path-io.ts";
import { isTempName } from "./temp-name.ts";

export type FileChange =
  | { readonly kind: "ready" }
  | { readonly kind: "changed"; readonly paths: string[] }
  | { readonly kind: "overflow" };

export async function watchFiles(
  { homeDirectory, clock }: FilesDeps,
  input: NamedPath & { readonly recursive: boolean },
  signal: AbortSignal,
): Promise<Result<AsyncIterable<FileChange>, WorkspaceFailure>> {
  const resolved = await resolveTarget(input, homeDirectory);
  if (!resolved.ok) return resolved;
  const { real } = resolved.value;
  const stats = await lstat(real);
  if (!stats.isDirectory()) {
    return fail({ code: "not_a_directory", message: `${input.path} is not a directory.` });
  }
  const isIgnored = (path: string): boolean => isLeftOut(real, path) || isTempName(basename(path));
  const tree = { path: real, recursive: input.recursive, isIgnored, isClosed };
  const watching = await watchTrees([tree], clock, signal);
  if (!watching.ok) return watching;
  return ok(tellChanges(watching.value, resolved.value));
}

async function* tellChanges(
  watching: TreeWatch,
  { named, real }: RealPath,
): AsyncGenerator<FileChange> {
  using own = watching;
  yield { kind: "ready" };
  for await (const change of own.changes()) {
    if (change.kind === "overflow") yield change;
    else {
      const paths = change.paths.map((path) => join(named, path.slice(real.length)));
      yield { kind: "changed", paths };
    }
  }
}
