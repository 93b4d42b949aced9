/** Users' links: each stream goes on to the workspace agent, wherever that is connected then. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { relayOverSocket } from "@atelier/tunnel/link";
import type { WebSocket } from "ws";
import type { AgentRoutes, RoutedAgent } from "./agent-routes-io.ts";

export type ClientLinkDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly routes: AgentRoutes;
};

/** Resolves when the user's side is over, or the signal aborts. */
export async function serveClientLink(
  deps: ClientLinkDeps,
  agent: RoutedAgent,
  socket: WebSocket,
  signal: AbortSignal,
): Promise<void> {
  using route = await deps.routes.hold(agent);
  if (signal.aborted) return;
  const target = () => (signal.aborted ? null : route.current());
  const relay = relayOverSocket(socket, { target }, deps);
  socket.resume();
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([relay.closed, aborted]);
}
