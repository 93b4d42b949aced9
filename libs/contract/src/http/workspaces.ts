/**
 * Workspaces and their workspace agents. Workspaces of kind `external` exist so far: a machine that
 * somebody has, attached by running the workspace agent there with a token of the workspace.
 */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { fileEndpoint } from "../file-endpoint.ts";
import { NoParams, NoQuery, Paging, Timestamp, UserParams, UserRef } from "./common.ts";
import { USERNAME_PATTERN } from "./users.ts";

export const WORKSPACE_STATUSES = ["connecting", "connected", "disconnected"] as const;

/** `connecting`: no machine was ever attached. */
export const WorkspaceStatus = z.enum(WORKSPACE_STATUSES);
export type WorkspaceStatus = z.infer<typeof WorkspaceStatus>;

export const WorkspaceName = z
  .string()
  .min(1)
  .max(32)
  .regex(USERNAME_PATTERN, "Letters and digits, with single hyphens between them.");

export const WorkspaceAgent = z.object({
  id: z.uuid(),
  name: z.string(),
  status: WorkspaceStatus,
  /** As the machine says when it connects; null until then. */
  operating_system: z.string().nullable(),
  architecture: z.string().nullable(),
  version: z.string().nullable(),
  directory: z.string().nullable(),
  first_connected_at: Timestamp.nullable(),
  last_connected_at: Timestamp.nullable(),
  /** Null while it is connected, and before it was. */
  disconnected_at: Timestamp.nullable(),
});

export const Workspace = z.object({
  id: z.uuid(),
  name: z.string(),
  kind: z.enum(["external"]),
  owner_id: z.uuid(),
  owner_name: z.string(),
  organization_id: z.uuid(),
  organization_name: z.string(),
  created_at: Timestamp,
  updated_at: Timestamp,
  /** To the minute. */
  last_used_at: Timestamp,
  status: WorkspaceStatus,
  /** Failing are workspace agents that are not connected. */
  health: z.object({ healthy: z.boolean(), failing_agents: z.array(z.uuid()) }),
  /** External workspaces are not built. */
  latest_build: z.null(),
  agents: z.array(WorkspaceAgent),
});

export const ListeningPort = z.object({
  port: z.int(),
  network: z.literal("tcp"),
  address: z.string(),
  process_name: z.string(),
  pid: z.int().nullable(),
});

export const WorkspaceParams = z.strictObject({ workspace: z.uuid() });
export const WorkspaceAgentParams = z.strictObject({ agent: z.uuid() });

/** The workspace agent as one file, for any machine. Anybody may download it. */
export const WORKSPACE_AGENT_FILE_PATH = "/api/v2/workspace-agent/atelier-agent.mjs";

export const workspaceAgentFile = fileEndpoint({
  tag: "workspaces",
  summary: "Download the workspace agent as one file",
  path: WORKSPACE_AGENT_FILE_PATH,
  mediaType: "text/javascript",
  description:
    "For any machine with Node 24 or later. `ETag` is the SHA-256 of the file in hex, `Repr-Digest` the same as RFC 9530 has it; with `If-None-Match` of a file that is still the same, 304. A server that has none answers 503 with the reason as text.",
});

/** More matches than this are counted as this many. */
export const WORKSPACE_COUNT_MAX = 10_000;

export const createWorkspace = endpoint({
  tag: "workspaces",
  summary: "Create an external workspace",
  method: "POST",
  path: "/api/v2/users/:user/workspaces",
  access: "workspace:create",
  params: UserParams,
  query: NoQuery,
  body: z.strictObject({ name: WorkspaceName, kind: z.enum(["external"]).default("external") }),
  success: { status: 201, body: Workspace },
  failures: ["workspace.name_taken"],
  audit: { action: "create", resource: "workspace" },
});

export const listWorkspaces = endpoint({
  tag: "workspaces",
  summary: "List workspaces by owner and name: one's own, and with the right to it everybody's",
  method: "GET",
  path: "/api/v2/workspaces",
  access: "signed_in",
  params: NoParams,
  query: z.strictObject({
    ...Paging,
    /** Instead of `after_id`. */
    offset: z.coerce.number().int().min(0).max(1_000_000).optional(),
    /** `key:value` terms: owner (`me`, an id or a username), name (a part of it), status. */
    q: z.string().max(1_024).optional(),
  }),
  body: null,
  /** `count` stops at 10,000. */
  success: { status: 200, body: z.object({ workspaces: z.array(Workspace), count: z.int() }) },
  failures: [],
  audit: null,
});

export const getWorkspace = endpoint({
  tag: "workspaces",
  summary: "Show a workspace",
  method: "GET",
  path: "/api/v2/workspaces/:workspace",
  access: "workspace:read",
  params: WorkspaceParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: Workspace },
  failures: [],
  audit: null,
});

export const getWorkspaceByName = endpoint({
  tag: "workspaces",
  summary: "Show a workspace by its owner and name",
  method: "GET",
  path: "/api/v2/users/:user/workspace/:name",
  access: "workspace:read",
  params: z.strictObject({ user: UserRef, name: z.string().min(1).max(64) }),
  query: NoQuery,
  body: null,
  success: { status: 200, body: Workspace },
  failures: [],
  audit: null,
});

export const updateWorkspace = endpoint({
  tag: "workspaces",
  summary: "Rename a workspace",
  method: "PATCH",
  path: "/api/v2/workspaces/:workspace",
  access: "workspace:update",
  params: WorkspaceParams,
  query: NoQuery,
  body: z.strictObject({ name: WorkspaceName }),
  success: { status: 200, body: Workspace },
  failures: ["workspace.name_taken"],
  audit: { action: "write", resource: "workspace" },
});

export const deleteWorkspace = endpoint({
  tag: "workspaces",
  summary: "Delete a workspace; its machine is cut off and its token void",
  method: "DELETE",
  path: "/api/v2/workspaces/:workspace",
  access: "workspace:delete",
  params: WorkspaceParams,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "delete", resource: "workspace" },
});

export const createWorkspaceAgentToken = endpoint({
  tag: "workspaces",
  summary:
    "Make the token that attaches a machine; the former one is void, and shown is it only here",
  method: "POST",
  path: "/api/v2/workspaces/:workspace/agent-token",
  access: "workspace:connect",
  params: WorkspaceParams,
  query: NoQuery,
  body: null,
  success: {
    status: 201,
    /** `warning`: why the command may not work on another machine. */
    body: z.object({ token: z.string(), command: z.string(), warning: z.string().nullable() }),
  },
  failures: [],
  audit: { action: "create", resource: "workspace_agent_token" },
});

export const getWorkspaceAgent = endpoint({
  tag: "workspaces",
  summary: "Show a workspace agent",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent",
  access: "workspace:read",
  params: WorkspaceAgentParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: WorkspaceAgent },
  failures: [],
  audit: null,
});

export const listListeningPorts = endpoint({
  tag: "workspaces",
  summary: "TCP ports on which something listens in a workspace",
  method: "GET",
  path: "/api/v2/workspaceagents/:agent/listening-ports",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ ports: z.array(ListeningPort) }) },
  failures: ["workspace_agent.disconnected", "workspace_agent.failed"],
  audit: null,
});
