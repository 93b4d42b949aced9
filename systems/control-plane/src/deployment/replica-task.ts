/** Says every few seconds that this server is alive, and forgets those that are long dead. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import {
  deletePredecessors,
  deleteReplica,
  deleteReplicasSilentSince,
  heartbeat,
  type Replica,
} from "./replica-store.ts";

export type ReplicaDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
};

const HEARTBEAT_EVERY_MS = 5_000;
const FORGET_AFTER_MS = 86_400_000;

/** Runs until the signal, and takes the row away on an orderly end. `replica` as it is at each beat. */
export async function keepReplica(
  deps: ReplicaDeps,
  replica: () => Replica,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await deps.clock.sleep(HEARTBEAT_EVERY_MS, signal);
      await beatReplica(deps, replica());
    }
  } finally {
    await deleteReplica(deps.database.sql, replica().id).catch((error: unknown) => {
      deps.log.warn({ error }, "this replica's row stays until it is forgotten");
    });
  }
}

/** Also out of turn, when something about the replica has changed. */
export async function beatReplica(deps: ReplicaDeps, replica: Replica): Promise<void> {
  const now = deps.clock.now();
  try {
    await heartbeat(deps.database.sql, replica, now);
    const forgottenSince = new Date(now.getTime() - FORGET_AFTER_MS);
    await deleteReplicasSilentSince(deps.database.sql, forgottenSince);
  } catch (error) {
    deps.log.warn({ error }, "heartbeat of this replica failed");
  }
}

/**
 * Now that this replica listens at its address, another that did is dead, however fresh its heartbeat is:
 * killed, and started again.
 */
export async function replacePredecessors(deps: ReplicaDeps, replica: Replica): Promise<void> {
  try {
    await deletePredecessors(deps.database.sql, replica);
  } catch (error) {
    deps.log.warn({ error }, "rows of this replica's predecessors stay until they are stale");
  }
}
