/**
 * What happens in a workspace while one looks. Each is a WebSocket, because browsers keep only a few
 * other connections to one server open at once. The server sends texts of JSON, `{type, data}`: `data`
 * with what is described, or `error` with `{code, message}` before it closes. The client says nothing.
 */
import { z } from "zod";
import { socketEndpoint } from "../socket-endpoint.ts";
import { NoQuery } from "./common.ts";
import { RepositoryQuery } from "./workspace-git.ts";
import { OutputStream, ProcessParams } from "./workspace-processes.ts";
import { WorkspaceAgentParams } from "./workspaces.ts";

export const watchWorkspacePorts = socketEndpoint({
  tag: "workspaces",
  summary: "Watch the ports on which something listens in a workspace",
  description:
    "`{type, data}` with the ports, at the start and at each change; `error` with `{code, message}` before the end.",
  transport: "websocket",
  path: "/api/v2/workspaceagents/:agent/listening-ports/watch",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: NoQuery,
});

export const watchWorkspaceGit = socketEndpoint({
  tag: "workspaces",
  summary: "Watch a git repository of a workspace",
  description:
    "`{type, data}` with the repository's state, at the start and at each change, not more often than every half second; `error` with `{code, message}` before the end. Closed with 1000 when the repository goes away.",
  transport: "websocket",
  path: "/api/v2/workspaceagents/:agent/git/watch",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: RepositoryQuery,
});

export const watchWorkspaceStats = socketEndpoint({
  tag: "workspaces",
  summary: "Watch how much of its machine a workspace takes",
  description:
    "`{type, data}` with the stats, at the start and every two seconds; `error` with `{code, message}` before the end.",
  transport: "websocket",
  path: "/api/v2/workspaceagents/:agent/stats/watch",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: NoQuery,
});

export const followWorkspaceProcess = socketEndpoint({
  tag: "workspaces",
  summary: "Follow the output of a process of a workspace",
  description:
    "`{type, data}` with `{text, from, to}`, in bytes of all that it wrote: ask again with `offset` at the last `to`. Whole characters only. Where not all is kept any more, `from` is later than asked. `error` with `{code, message}` before the end. Closed with 1000 when the process ended.",
  transport: "websocket",
  path: "/api/v2/workspaceagents/:agent/processes/:process/follow",
  access: "workspace:connect",
  params: ProcessParams,
  query: z.strictObject({
    stream: OutputStream,
    offset: z.coerce.number().int().min(0).default(0),
  }),
});
