/**
 * Files of a workspace for programs without a link of its own protocol, such as browsers. Only looking:
 * changes go through the link. The machine itself is asked, so nothing of a workspace is kept here.
 */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { RawAnswer } from "../raw-body.ts";
import { Timestamp } from "./common.ts";
import { WorkspaceAgentParams } from "./workspaces.ts";

/** Longer texts are cut: `content` is what is meant for them. */
export const FILE_TEXT_BYTES_MAX = 1024 * 1024;
/** Larger files travel by `atelier cp`, which needs no page that stays open. */
export const FILE_CONTENT_BYTES_MAX = 1024 * 1024 * 1024;

/** Pictures that browsers draw without running anything. */
export const FILE_IMAGE_TYPES = [
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/avif",
] as const;

/** Absolute, or from the home directory on. Empty: the workspace's directory. */
export const MachinePath = z
  .string()
  .max(4_096)
  .regex(/^(?:$|\/|~$|~\/)[^\0]*$/, "Absolute, or beginning with ~/.");

/** Every way in which asking a machine can fail. */
export const MACHINE_FAILURES = [
  "workspace_agent.disconnected",
  "workspace_agent.refused",
  "workspace_agent.failed",
] as const;

export const WorkspaceFile = z.object({
  path: z.string(),
  name: z.string(),
  kind: z.enum(["file", "directory", "symlink", "other"]),
  size: z.number(),
  /** Permission bits. */
  mode: z.int(),
  modified_at: Timestamp,
  /** Where a symlink leads. Null for others, and where it leads nowhere. */
  target: z.string().nullable(),
});

export const listWorkspaceFiles = endpoint({
  tag: "workspaces",
  summary: "List a directory of a workspace: directories first, then by name",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/files",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: z.strictObject({
    path: MachinePath.default(""),
    limit: z.coerce.number().int().min(1).max(5_000).default(1_000),
    /** `next` of the page before. */
    after: z.string().max(4_096).default(""),
  }),
  body: null,
  success: {
    status: 200,
    /** `path` is absolute. `next` is null on the last page. */
    body: z.object({
      path: z.string(),
      files: z.array(WorkspaceFile),
      next: z.string().nullable(),
    }),
  },
  failures: MACHINE_FAILURES,
  audit: null,
});

export const readWorkspaceText = endpoint({
  tag: "workspaces",
  summary: "Read a file of a workspace as text",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/files/text",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: z.strictObject({ path: MachinePath.min(1) }),
  body: null,
  success: {
    status: 200,
    /** `text` is null where the file is no UTF-8 text; cut at 1 MiB, at the end of a character. */
    body: z.object({ file: WorkspaceFile, text: z.string().nullable(), is_cut: z.boolean() }),
  },
  failures: MACHINE_FAILURES,
  audit: null,
});

export const downloadWorkspaceFile = endpoint({
  tag: "workspaces",
  summary: "Download a file of a workspace, of at most 1 GiB; pictures can be shown in place",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/files/content",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: z.strictObject({ path: MachinePath.min(1) }),
  body: null,
  success: { status: 200, body: RawAnswer },
  rawAnswer: { mediaTypes: [...FILE_IMAGE_TYPES, "application/octet-stream"] },
  failures: [...MACHINE_FAILURES, "workspace_file.too_large"],
  audit: null,
});
