/** What a chat changed in its workspace, in numbers: made of what the machine says of its repositories. */
import type { GitChanges } from "@atelier/contract/rpc/workspace/git";

/** Top directory of a repository → the commit that the chat found there; null: it found nothing. */
export type Bases = Readonly<Record<string, string | null>>;

export type DiffNumbers = {
  readonly additions: number;
  readonly deletions: number;
  readonly changedFiles: number;
  readonly isCut: boolean;
  /** Of the one repository, or of the one that changed most. Empty: none. */
  readonly branch: string;
  readonly remoteOrigin: string;
  readonly ahead: number;
  readonly behind: number;
};

export type DiffStatus = DiffNumbers & { readonly bases: Bases };

/** The names that git gives can be of any length; longer ones are no help to anybody. */
const NAME_MAX = 1_000;

export function toDiffStatus(
  repositories: readonly GitChanges[],
  { isCut }: { readonly isCut: boolean },
): DiffStatus {
  const sum = (of: (changes: GitChanges) => number): number =>
    repositories.reduce((total, changes) => total + of(changes), 0);
  const shown = mostChanged(repositories);
  return {
    additions: sum(({ added }) => added),
    deletions: sum(({ removed }) => removed),
    changedFiles: sum(({ changedFiles }) => changedFiles),
    isCut: isCut || repositories.some((changes) => changes.isCut),
    branch: (shown?.branch ?? "").slice(0, NAME_MAX),
    remoteOrigin: (shown?.remoteUrl ?? "").slice(0, NAME_MAX),
    ahead: shown?.ahead ?? 0,
    behind: shown?.behind ?? 0,
    bases: Object.fromEntries(repositories.map(({ root, since }) => [root, since])),
  };
}

/** Of those that changed alike, the first: the one that holds the directory stands there. */
function mostChanged(repositories: readonly GitChanges[]): GitChanges | undefined {
  return repositories.reduce<GitChanges | undefined>((most, each) => {
    const lines = each.added + each.removed;
    return most === undefined || lines > most.added + most.removed ? each : most;
  }, undefined);
}

export function isSameStatus(one: DiffStatus, other: DiffStatus): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Tells the files of several repositories apart. Empty for the one that holds the directory. */
export function pathPrefix(root: string, directory: string): string {
  const top = directory.endsWith("/") ? directory : `${directory}/`;
  return root.startsWith(top) ? `${root.slice(top.length)}/` : "";
}
