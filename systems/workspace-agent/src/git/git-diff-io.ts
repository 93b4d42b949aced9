/** The difference of a repository from a commit as one unified diff, untracked files included. */
import { ok, type Result } from "@atelier/base/result";
import { GIT_FILES_MAX } from "@atelier/contract/rpc/workspace/git";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { addedFileDiff } from "./added-file-diff.ts";
import { baseOfChanges } from "./git-base-io.ts";
import { DIFF_OPTIONS, headOf, readStatus, type Repository } from "./git-state-io.ts";
import { runGit, type GitDeps } from "./run-git-io.ts";
import { readAdded } from "./untracked-file-io.ts";

export type DiffRequest = {
  /** Undefined: the last commit. Null: there was nothing. */
  readonly since: string | null | undefined;
  readonly prefix: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
};

export async function readDiff(
  deps: GitDeps,
  repository: Repository,
  { since, prefix, maxBytes, signal }: DiffRequest,
): Promise<Result<{ readonly diff: string; readonly isCut: boolean }, WorkspaceFailure>> {
  const { root, options } = repository;
  const status = await readStatus(deps, repository, signal);
  if (!status.ok) return status;
  const { commit, files } = status.value;
  const base =
    since === undefined
      ? await headOf(deps, root, { commit, signal })
      : await baseOfChanges(deps, root, { commit, since, signal });
  if (!base.ok) return base;
  const names = [`--src-prefix=a/${prefix}`, `--dst-prefix=b/${prefix}`];
  const tracked = await runGit(deps, {
    directory: root,
    args: [...options, "diff", ...DIFF_OPTIONS, ...names, base.value, "--"],
    bytesMax: maxBytes,
    signal,
  });
  if (!tracked.ok) return tracked;
  const parts = [tracked.value.bytes];
  let left = maxBytes - tracked.value.bytes.byteLength;
  let isCut = tracked.value.isCut || status.value.isCut || files.length > GIT_FILES_MAX;
  for (const file of files.slice(0, GIT_FILES_MAX)) {
    if (file.status !== "??") continue;
    if (left <= 0) isCut = true;
    if (left <= 0 || tracked.value.isCut) break;
    signal.throwIfAborted();
    const added = await readAdded(root, file.path, left);
    if (added === null) continue;
    const bytes = Buffer.from(addedFileDiff({ ...added, path: `${prefix}${file.path}` }));
    parts.push(bytes.subarray(0, left));
    isCut ||= added.isCut || bytes.byteLength > left;
    left -= bytes.byteLength;
  }
  return ok({ diff: toText(Buffer.concat(parts), isCut), isCut });
}

/** A diff that is cut ends with a whole line. */
function toText(bytes: Buffer, isCut: boolean): string {
  const end = isCut ? bytes.lastIndexOf(0x0a) + 1 : bytes.byteLength;
  return bytes.subarray(0, end).toString("utf8");
}
