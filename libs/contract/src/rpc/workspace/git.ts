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

/** Absolute or `~/`: the repository's top, or anything inside. */
const Path = z
  .string()
  .min(1)
  .max(4_096)
  .regex(/^[^\0]+$/);

export const GIT_OPERATIONS = operations({
  /** `not_found`: no repository there. `unsupported`: no git on the machine, or a bare repository. */
  state: { kind: "call", input: z.object({ path: Path }), output: GitState },
  /** The unified diff against HEAD, untracked files included, cut at the limit. */
  diff: {
    kind: "call",
    input: z.object({
      path: Path,
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
