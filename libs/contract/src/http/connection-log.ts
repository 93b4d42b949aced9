/** Who was connected to which workspace, from where, and how it ended. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { limitOf, LIMIT_DEFAULT, LogPaging, NoParams, Timestamp } from "./common.ts";
import { WorkspaceParams } from "./workspaces.ts";

export const CONNECTION_TYPES = [
  "workspace_agent",
  "client_link",
  "reconnecting_pty",
  "workspace_preview",
] as const;

/** `workspace_agent`: the machine itself. The others are users. */
export const ConnectionType = z.enum(CONNECTION_TYPES);
export type ConnectionType = z.infer<typeof ConnectionType>;

export const ConnectionLogEntry = z.object({
  id: z.uuid(),
  connect_time: Timestamp,
  /** Null: still connected. */
  disconnect_time: Timestamp.nullable(),
  type: ConnectionType,
  workspace_id: z.uuid(),
  /** Names are those of the time. */
  workspace_name: z.string(),
  workspace_owner_id: z.uuid(),
  workspace_owner_username: z.string(),
  agent_id: z.uuid(),
  agent_name: z.string(),
  /** Null for the machine itself. */
  user: z.object({ id: z.uuid(), username: z.string() }).nullable(),
  ip: z.string(),
  user_agent: z.string(),
  /** Why it ended; empty while it lasts. */
  reason: z.string(),
});

/** More matches than this are counted as this many. */
export const CONNECTION_COUNT_MAX = 10_000;

export const listConnections = endpoint({
  tag: "connection log",
  summary: "List connections to workspaces, latest first",
  method: "GET",
  path: "/api/v2/connectionlog",
  access: "connection_log:read",
  params: NoParams,
  /** Terms of `q`: type, status (`ongoing` or `completed`), workspace, workspace_id, workspace_owner, username, connected_after, connected_before. */
  query: z.strictObject(LogPaging),
  body: null,
  /** `count` stops at 10,000. */
  success: {
    status: 200,
    body: z.object({ connection_logs: z.array(ConnectionLogEntry), count: z.int() }),
  },
  failures: [],
  audit: null,
});

/** People see who was connected to what is theirs, also without the right to everybody's log. */
export const listWorkspaceConnections = endpoint({
  tag: "connection log",
  summary: "List connections to one workspace, latest first",
  method: "GET",
  path: "/api/v2/workspaces/:workspace/connections",
  access: "workspace:read",
  params: WorkspaceParams,
  query: z.strictObject({
    limit: limitOf(LIMIT_DEFAULT, 1_000),
    after_id: z.uuid().optional(),
    type: ConnectionType.optional(),
  }),
  body: null,
  /** `count` stops at 10,000. */
  success: {
    status: 200,
    body: z.object({ connection_logs: z.array(ConnectionLogEntry), count: z.int() }),
  },
  failures: [],
  audit: null,
});
