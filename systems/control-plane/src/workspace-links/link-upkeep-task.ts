/** Keeps the rows of links and of the connection log true, after outages and deaths of servers. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { ConnectionLog } from "../connection-log/connection-log-actions.ts";
import type { PostgresLinkRegistry } from "./link-registry-actions.ts";
import type { HeldConnection } from "./link-registry.ts";

export type LinkUpkeepDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: PostgresLinkRegistry;
  readonly connections: ConnectionLog;
  /** What this server holds now. */
  readonly held: () => readonly HeldConnection[];
};

const EVERY_MS = 5_000;

export async function keepLinks(deps: LinkUpkeepDeps, signal: AbortSignal): Promise<void> {
  for (;;) {
    await deps.clock.sleep(EVERY_MS, signal);
    try {
      await deps.registry.reconcile(deps.held());
      await deps.connections.closeLost();
    } catch (error) {
      deps.log.warn({ error }, "upkeep of workspace links is put off");
    }
  }
}
