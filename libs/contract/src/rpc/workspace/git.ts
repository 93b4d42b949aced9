/** The state of git repositories in a workspace, as it changes. */
import { z } from "zod";
import { operations, type ServiceOf } from "./operation.ts";

export const GitFile = z.object({
  path: z.string(),
  /** Git's two status letters, such as ` M`, `??`, `R `. */
  status: z.string().length(2),
  /** Where a renamed file was. */
  from: z.string().nullable(),
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
  remoteUrl: z.string().nullable(),
  /** Compared with HEAD, untracked files included. */
  files: z.array(GitFile),
  /** More files changed than are listed. */
  isCut: z.boolean(),
});
export type GitState = z.infer<typeof GitState>;

export const GIT_OPERATIONS = operations({
  state: { kind: "call", input: z.object({ path: z.string().min(1) }), output: GitState },
  /** The unified diff against HEAD, untracked files included, cut at the limit. */
  diff: {
    kind: "call",
    input: z.object({
      path: z.string().min(1),
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
  watch: { kind: "events", input: z.object({ path: z.string().min(1) }), output: GitState },
});

export type WorkspaceGit = ServiceOf<typeof GIT_OPERATIONS>;
