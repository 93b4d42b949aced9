/** What of the API chats answer, by way of the control plane. */
import { isEndpoint, type Endpoint } from "../endpoint.ts";
import * as debug from "../http/chat-debug.ts";
import * as debugSettings from "../http/chat-debug-settings.ts";
import * as diff from "../http/chat-diff.ts";
import * as files from "../http/chat-files.ts";
import { CHAT_MODEL_ENDPOINTS } from "../http/chat-models.ts";
import * as queue from "../http/chat-queue.ts";
import * as settings from "../http/chat-settings.ts";
import * as sharing from "../http/chat-sharing.ts";
import * as spending from "../http/chat-spending.ts";
import { streamChat, watchChats } from "../http/chat-sockets.ts";
import * as chats from "../http/chats.ts";
import * as mcpServers from "../http/mcp-servers.ts";
import type { EndpointService } from "./endpoint-service.ts";
import type { SocketService } from "./socket-service.ts";

/** The endpoints among what a module exports, by name. */
export type EndpointsOf<Module> = {
  readonly [Name in keyof Module as Module[Name] extends Endpoint ? Name : never]: Extract<
    Module[Name],
    Endpoint
  >;
};

export const CHAT_ENDPOINTS: EndpointsOf<typeof chats> &
  EndpointsOf<typeof diff> &
  EndpointsOf<typeof files> &
  EndpointsOf<typeof queue> = {
  ...endpointsOf(chats),
  ...endpointsOf(diff),
  ...endpointsOf(files),
  ...endpointsOf(queue),
};
export const CHAT_DEBUG_ENDPOINTS: EndpointsOf<typeof debug> = endpointsOf(debug);
export const CHAT_SETTING_ENDPOINTS: EndpointsOf<typeof settings> &
  EndpointsOf<typeof debugSettings> = { ...endpointsOf(settings), ...endpointsOf(debugSettings) };
export const CHAT_SPENDING_ENDPOINTS: EndpointsOf<typeof spending> = endpointsOf(spending);
export const CHAT_SHARING_ENDPOINTS: EndpointsOf<typeof sharing> = endpointsOf(sharing);
export const MCP_SERVER_ENDPOINTS: EndpointsOf<typeof mcpServers> = endpointsOf(mcpServers);

export const CHAT_SERVICE_ENDPOINTS = {
  ...CHAT_MODEL_ENDPOINTS,
  ...CHAT_ENDPOINTS,
  ...CHAT_DEBUG_ENDPOINTS,
  ...CHAT_SETTING_ENDPOINTS,
  ...CHAT_SPENDING_ENDPOINTS,
  ...CHAT_SHARING_ENDPOINTS,
  ...MCP_SERVER_ENDPOINTS,
};
export type ChatService = EndpointService<typeof CHAT_SERVICE_ENDPOINTS>;

/** The channel of notifications with the id of a chat that others may read, or may not any more. */
export const CHAT_ACCESS_CHANGED = "chat_access_changed";

export const CHAT_SOCKETS = { streamChat, watchChats };
export type ChatSocketService = SocketService<typeof CHAT_SOCKETS>;

function endpointsOf<Module extends object>(module: Module): EndpointsOf<Module> {
  const entries = Object.entries(module).filter(([, value]) => isEndpoint(value));
  return Object.fromEntries(entries) as EndpointsOf<Module>; // The same rule as the type's.
}
