/** Git repositories of a workspace: which there are, how they are, and what changed since HEAD. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { MACHINE_FAILURES, MachinePath } from "./workspace-files.ts";
import { WorkspaceAgentParams } from "./workspaces.ts";

export const GIT_DIFF_BYTES_MAX = 4 * 1024 * 1024;
/** More repositories below one directory are not listed. */
export const GIT_REPOSITORIES_MAX = 50;

export const WorkspaceGitState = z.object({
  /** The repository's top directory. */
  root: z.string(),
  /** Null on a detached head. */
  branch: z.string().nullable(),
  /** Null before the first commit. */
  commit: z.string().nullable(),
  upstream: z.string().nullable(),
  ahead: z.int(),
  behind: z.int(),
  /** Without any name or password. */
  remote_url: z.string().nullable(),
  /** Compared with HEAD, untracked files included; lines are counted. */
  files: z.array(
    z.object({
      path: z.string(),
      /** Git's two status letters. */
      status: z.string(),
      /** Where a renamed file was. */
      from: z.string().nullable(),
      added: z.int(),
      removed: z.int(),
      is_binary: z.boolean(),
    }),
  ),
  /** More files changed than are listed. */
  is_cut: z.boolean(),
});

/** Anything inside of the repository. */
export const RepositoryQuery = z.strictObject({ path: MachinePath.default("") });

export const listWorkspaceRepositories = endpoint({
  tag: "workspaces",
  summary: "Git repositories of a workspace: the one that holds a directory, and those just below",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/git/repositories",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: RepositoryQuery,
  body: null,
  success: {
    status: 200,
    /** Top directories. `is_cut`: not every directory was looked at. */
    body: z.object({ repositories: z.array(z.object({ root: z.string() })), is_cut: z.boolean() }),
  },
  failures: MACHINE_FAILURES,
  audit: null,
});

export const getWorkspaceGitState = endpoint({
  tag: "workspaces",
  summary: "The state of a git repository of a workspace",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/git/state",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: RepositoryQuery,
  body: null,
  success: { status: 200, body: WorkspaceGitState },
  failures: MACHINE_FAILURES,
  audit: null,
});

export const getWorkspaceGitDiff = endpoint({
  tag: "workspaces",
  summary: "What changed in a git repository of a workspace since HEAD, untracked files included",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/git/diff",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: RepositoryQuery.extend({
    bytes_max: z.coerce
      .number()
      .int()
      .min(1)
      .max(GIT_DIFF_BYTES_MAX)
      .default(1024 * 1024),
  }),
  body: null,
  /** A unified diff, cut after a whole line. */
  success: { status: 200, body: z.object({ diff: z.string(), is_cut: z.boolean() }) },
  failures: MACHINE_FAILURES,
  audit: null,
});
