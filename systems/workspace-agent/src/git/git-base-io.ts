/**
 * With which commit a repository is compared to see what was done in it since another one. That one
 * itself, as long as the branch goes on from it. Where the branch was rewritten, or is another: what
 * both have in common. What came from the remote's default branch, by pulling or merging, is nobody's
 * doing here, so nothing before the newest commit of it counts.
 */
import { ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { headOf, SMALL_BYTES } from "./git-state-io.ts";
import { runGit, type GitDeps } from "./run-git-io.ts";

/** Of the remote that a clone comes from; who has none, or another, has only `since`. */
const DEFAULT_BRANCH = "refs/remotes/origin/HEAD";

export async function baseOfChanges(
  deps: GitDeps,
  directory: string,
  {
    commit,
    since,
    signal,
  }: {
    /** Now. Null: there is none yet. */
    readonly commit: string | null;
    /** Null: nothing. */
    readonly since: string | null;
    readonly signal: AbortSignal;
  },
): Promise<Result<string, WorkspaceFailure>> {
  if (commit === null || commit === since) return headOf(deps, directory, { commit, signal });
  const common = (one: string, other: string): Promise<string | null> =>
    commonCommit(deps, directory, { one, other, signal });
  const landed = await common(DEFAULT_BRANCH, commit);
  const own = since === null ? null : await common(since, commit);
  if (own !== null && landed !== null) {
    return ok((await common(landed, own)) === landed ? own : landed);
  }
  const known = own ?? landed;
  if (known !== null) return ok(known);
  // Null: all that is there. A history that has nothing in common with this one says nothing of it.
  return headOf(deps, directory, { commit: since === null ? null : commit, signal });
}

/** Null: there is none, or one of the two is not there. */
async function commonCommit(
  deps: GitDeps,
  directory: string,
  {
    one,
    other,
    signal,
  }: { readonly one: string; readonly other: string; readonly signal: AbortSignal },
): Promise<string | null> {
  const args = ["merge-base", one, other];
  const found = await runGit(deps, { directory, args, bytesMax: SMALL_BYTES, signal });
  const [commit = ""] = found.ok ? found.value.bytes.toString("utf8").split("\n") : [];
  return commit === "" ? null : commit;
}
