/** What of workspaces stays open: watching one, its workspace agent's link, links and terminals of users. */
import { z } from "zod";
import { socketEndpoint } from "../socket-endpoint.ts";
import { NoParams, NoQuery } from "./common.ts";
import { WorkspaceAgentParams, WorkspaceParams } from "./workspaces.ts";

export const watchWorkspace = socketEndpoint({
  tag: "workspaces",
  summary: "Watch a workspace",
  description:
    "Events `data` with the whole workspace, at the start and at each change; `ping` now and then; `error` with a message before the end.",
  transport: "sse",
  path: "/api/v2/workspaces/:workspace/watch",
  access: "workspace:read",
  params: WorkspaceParams,
  query: NoQuery,
});

export const watchWorkspaceSocket = socketEndpoint({
  tag: "workspaces",
  summary: "Watch a workspace by WebSocket",
  description: "The same events as texts of JSON: `{type, data}`.",
  transport: "websocket",
  path: "/api/v2/workspaces/:workspace/watch-ws",
  access: "workspace:read",
  params: WorkspaceParams,
  query: NoQuery,
});

export const linkWorkspaceAgent = socketEndpoint({
  tag: "workspaces",
  summary: "The link of a workspace agent",
  description:
    "Opened by the workspace agent, which answers HTTP/2 inside. Its version goes in `X-Atelier-Link-Version`; a version that cannot work is answered 426 with the reason as text.",
  transport: "websocket",
  path: "/api/v2/workspaceagents/me/link",
  access: "workspace_agent_token",
  params: NoParams,
  query: NoQuery,
});

export const linkWorkspaceClient = socketEndpoint({
  tag: "workspaces",
  summary: "A user's link to a workspace",
  description:
    "HTTP/2 inside, which the server answers and relays to the workspace agent, wherever that is connected. It stays open while the workspace is away, and is then answered `disconnected`.",
  transport: "websocket",
  path: "/api/v2/workspaceagents/:agent/link",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: NoQuery,
});

export const openWorkspaceTerminal = socketEndpoint({
  tag: "workspaces",
  summary: "A terminal in a workspace",
  description:
    "Client: texts or bytes of JSON, `{data?}` or `{height, width}`. Server: the terminal's bytes. The same `reconnect` finds the same terminal again. Closed with 1000 when its program ended.",
  transport: "websocket",
  path: "/api/v2/workspaceagents/:agent/pty",
  access: "workspace:connect",
  params: WorkspaceAgentParams,
  query: z.strictObject({
    reconnect: z.uuid(),
    width: z.coerce.number().int().min(1).max(1_000).default(80),
    height: z.coerce.number().int().min(1).max(1_000).default(24),
    /** Empty: the login shell. Counts only for a terminal that does not exist yet. */
    command: z.string().max(8_192).default(""),
  }),
});
