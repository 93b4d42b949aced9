/**
 * The state of git repositories in a workspace, as it changes. Looking at a repository runs nothing
 * that its own configuration names, takes no lock, and asks nobody for a password.
 */
import { z } from "zod";
import { operations, type ServiceOf } from "./operation.ts";

/** More changed files are not listed. */
export const GIT_FILES_MAX = 2_000;

export const GitFile = z.object({
  path: z.string(),
  /** Git's two status letters, such as ` M`, `??`, `R `. */
  status: z.string().length(2),
  /** Where a renamed file was. */
  from: z.string().nullable(),
  /** Lines. 0 for binary files, and for untracked ones beyond what is counted. */
  added: z.number().int(),
  removed: z.number().int(),
  isBinary: z.boolean(),
});

export const GitState = z.object({
  /** The repository's top directory. */
  root: z.string(),
  /** Null on a detached head. */
  branch: z.string().nullable(),
  /** Null before the first commit. */
  commit: z.string().nullable(),
  upstream: z.string().nullable(),
  ahead: z.number().int(),
  behind: z.number().int(),
  /** Of the upstream's remote, else of `origin`. Without any name or password. */
  remoteUrl: z.string().nullable(),
  /** Compared with HEAD, untracked files included. */
  files: z.array(GitFile),
  /** More files changed than are listed. */
  isCut: z.boolean(),
});
export type GitState = z.infer<typeof GitState>;

/** Repositories below one directory that are looked at for `changes`. */
export const GIT_CHANGED_REPOSITORIES_MAX = 20;

/** A commit's id, or null: there was nothing before. */
const Since = z
  .string()
  .regex(/^[0-9a-f]{40,64}$/)
  .nullable();

/**
 * What changed in a repository since a commit: what was committed, what is in the work tree, and files
 * that git does not know yet. Compared is with `since`, but what the branch has in common with the
 * default branch of its remote (`origin`) does not count, nor does what other branches hold.
 */
export const GitChanges = GitState.omit({ files: true, isCut: true }).extend({
  /** As it was asked for; else the commit now, which is what later calls should name. */
  since: Since,
  added: z.number().int(),
  removed: z.number().int(),
  changedFiles: z.number().int(),
  /** As many as were asked for. */
  files: z.array(GitFile.omit({ from: true, status: true })),
  /** More changed than was counted, or than is listed. */
  isCut: z.boolean(),
});
export type GitChanges = z.infer<typeof GitChanges>;

/** Absolute or `~/`: the repository's top, or anything inside. */
const Path = z
  .string()
  .min(1)
  .max(4_096)
  .regex(/^[^\0]+$/);

export const GIT_OPERATIONS = operations({
  /** `not_found`: no repository there. `unsupported`: no git on the machine, or a bare repository. */
  state: { kind: "call", input: z.object({ path: Path }), output: GitState },
  /**
   * Of the repository that holds the directory, and of those up to two levels below. `path`: the agent's
   * own directory unless another is named. `since`: by the repository's top directory; one that is not
   * named is compared with its commit now, or, where `othersAreNew`, with nothing, unless it has a
   * remote that it came from. None: an empty list.
   */
  changes: {
    kind: "call",
    input: z.object({
      path: Path.optional(),
      since: z.record(z.string(), Since).default({}),
      othersAreNew: z.boolean().default(false),
      filesMax: z.number().int().min(0).max(GIT_FILES_MAX).default(0),
    }),
    output: z.object({
      /** The directory that was looked at, absolute. */
      directory: z.string(),
      repositories: z.array(GitChanges),
      /** Not every directory was looked at, or not every repository. */
      isCut: z.boolean(),
    }),
  },
  /**
   * The unified diff against HEAD, or as `changes` compares it with `since`; untracked files included, cut
   * at the limit.
   */
  diff: {
    kind: "call",
    input: z.object({
      path: Path,
      since: Since.optional(),
      /** Stands before each path, such as `app/`. */
      prefix: z.string().max(4_096).default(""),
      maxBytes: z
        .number()
        .int()
        .min(1)
        .max(8 * 1024 * 1024)
        .default(1024 * 1024),
    }),
    output: z.object({ diff: z.string(), isCut: z.boolean() }),
  },
  /** The state now, and again after each change, not more often than every half second. */
  watch: { kind: "events", input: z.object({ path: Path }), output: GitState },
});

export type WorkspaceGit = ServiceOf<typeof GIT_OPERATIONS>;
