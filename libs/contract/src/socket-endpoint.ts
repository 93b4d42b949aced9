/**
 * One path that stays open, as data: server-sent events or a WebSocket. The reference and the
 * authorization tests are made from it, as they are from endpoints.
 */
import type { z } from "zod";
import type { Permission } from "./permissions.ts";

export type SocketEndpoint = {
  readonly tag: string;
  readonly summary: string;
  /** What goes over it in which direction, in sentences. */
  readonly description: string;
  readonly transport: "sse" | "websocket";
  readonly path: `/${string}`;
  /** A permission of a user on the thing that the path names, or the token of a workspace agent. */
  readonly access: Permission | "workspace_agent_token";
  /** The path names nothing: it is about what the caller owns. */
  readonly subject?: "self";
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
};

/** One that users open. */
export type UserSocketEndpoint = SocketEndpoint & { readonly access: Permission };

export function socketEndpoint<const E extends SocketEndpoint>(definition: E): E {
  return definition;
}
