/** All endpoints: what the server must implement and the reference describes. */
import { isEndpoint, type Endpoint } from "../endpoint.ts";
import * as aiProviderTest from "./ai-provider-test.ts";
import type { FileEndpoint } from "../file-endpoint.ts";
import type { SocketEndpoint } from "../socket-endpoint.ts";
import * as aiProviders from "./ai-providers.ts";
import * as aiCosts from "./ai-costs.ts";
import * as aiUserKeys from "./ai-user-keys.ts";
import * as aiUsage from "./ai-usage.ts";
import * as audit from "./audit.ts";
import * as chatDebug from "./chat-debug.ts";
import * as chatDebugSettings from "./chat-debug-settings.ts";
import * as chatDiff from "./chat-diff.ts";
import * as chatFiles from "./chat-files.ts";
import * as chatModels from "./chat-models.ts";
import * as chatQueue from "./chat-queue.ts";
import * as chatSettings from "./chat-settings.ts";
import * as chatSharing from "./chat-sharing.ts";
import * as chatSpending from "./chat-spending.ts";
import { streamChat, watchChats } from "./chat-sockets.ts";
import * as chats from "./chats.ts";
import * as connectionLog from "./connection-log.ts";
import * as deployment from "./deployment.ts";
import * as mcpServers from "./mcp-servers.ts";
import * as signIn from "./sign-in.ts";
import * as users from "./users.ts";
import * as workspaceFiles from "./workspace-files.ts";
import * as workspaceGit from "./workspace-git.ts";
import * as workspaceLive from "./workspace-live.ts";
import * as workspacePreviews from "./workspace-previews.ts";
import * as workspaceProcesses from "./workspace-processes.ts";
import * as workspaceSockets from "./workspace-sockets.ts";
import * as workspaces from "./workspaces.ts";

export const ENDPOINTS: readonly Endpoint[] = [
  users,
  signIn,
  audit,
  aiProviders,
  aiUserKeys,
  aiProviderTest,
  aiUsage,
  aiCosts,
  workspaces,
  workspaceFiles,
  workspaceGit,
  workspaceProcesses,
  workspacePreviews,
  chats,
  chatDebug,
  chatDiff,
  chatFiles,
  chatModels,
  chatQueue,
  chatSettings,
  chatSharing,
  chatDebugSettings,
  chatSpending,
  mcpServers,
  connectionLog,
  deployment,
].flatMap((room) => Object.values(room).filter(isEndpoint).toSorted(byPath));

/** All paths that stay open. */
export const SOCKETS: readonly SocketEndpoint[] = [
  ...Object.values(workspaceSockets),
  ...Object.values(workspaceLive),
  streamChat,
  watchChats,
];

/** All files that anybody may download. */
export const FILES: readonly FileEndpoint[] = [workspaces.workspaceAgentFile];

/** As people look them up: a thing's own path, then what lies below it. */
function byPath(a: Endpoint, b: Endpoint): number {
  return a.path < b.path || (a.path === b.path && a.method < b.method) ? -1 : 1;
}
