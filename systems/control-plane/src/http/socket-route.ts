/** Pairs a path that stays open with the code behind it, whether events or a WebSocket carry it. */
import type { UserSocketEndpoint } from "@atelier/contract/socket-endpoint";
import type { z } from "zod";
import type { Actor } from "../access/actor.ts";

/** A request that was let in, and stays open as long as its user may. */
export type SocketRequest<E extends UserSocketEndpoint = UserSocketEndpoint> = {
  readonly actor: Actor;
  readonly params: z.output<E["params"]>;
  readonly query: z.output<E["query"]>;
  readonly ip: string;
  readonly userAgent: string;
};

/** Events to one viewer. */
export interface EventStream {
  /** Aborted when nobody listens any more, or may. */
  readonly signal: AbortSignal;
  /** Resolves when the viewer takes more. */
  send(type: "data" | "ping" | "error", data: unknown): Promise<void>;
}

/** Runs until it returns or its stream's signal aborts. */
export type StreamHandler<E extends UserSocketEndpoint> = (
  request: SocketRequest<E>,
  stream: EventStream,
) => Promise<void>;

export type StreamRoute = {
  readonly endpoint: UserSocketEndpoint;
  readonly handler: StreamHandler<UserSocketEndpoint>;
};

export function streamRoute<const E extends UserSocketEndpoint>(
  endpoint: E,
  handler: StreamHandler<E>,
): StreamRoute {
  return { endpoint, handler }; // The edge parses, then calls.
}
