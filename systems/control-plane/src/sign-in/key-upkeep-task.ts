/**
 * Writes collected uses of credentials each minute (the first after a pause is written as it happens), and each hour removes credentials that ended
 * long ago. Every replica does it; doing it twice changes nothing.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import type { KeyUsage } from "../access/key-usage.ts";
import { updateLastSeen } from "../users/user-store.ts";
import { deleteEndedApiKeys, updateLastUsed } from "./api-key-store.ts";

export type KeyUpkeepDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly usage: KeyUsage;
};

const FLUSH_EVERY_MS = 60_000;
const SWEEP_EVERY_FLUSHES = 60;
const BATCH = 1_000;
const DAY_MS = 86_400_000;
/** Tokens stay listed for a while after their end, so that people see why a program stopped. */
const KEEP_MS = { session: DAY_MS, token: 90 * DAY_MS } as const;

/** Runs until the signal; what is collected then is written last. */
export async function keepKeys(deps: KeyUpkeepDeps, signal: AbortSignal): Promise<void> {
  try {
    for (let turn = 0; ; turn += 1) {
      if (turn % SWEEP_EVERY_FLUSHES === 0) await attempt(deps, () => sweepEndedKeys(deps));
      await deps.clock.sleep(FLUSH_EVERY_MS, signal);
      await attempt(deps, () => flushKeyUsage(deps));
    }
  } finally {
    await attempt(deps, () => flushKeyUsage(deps));
  }
}

export async function flushKeyUsage(deps: KeyUpkeepDeps): Promise<void> {
  const uses = deps.usage.take();
  try {
    for (let start = 0; start < uses.length; start += BATCH) {
      // One order for all replicas, so that two of them never wait for each other.
      const batch = uses.slice(start, start + BATCH).toSorted((a, b) => compare(a.keyId, b.keyId));
      await updateLastUsed(deps.database.sql, batch);
      await updateLastSeen(deps.database.sql, batch);
    }
  } catch (error) {
    deps.usage.putBack(uses);
    throw error;
  }
}

async function sweepEndedKeys(deps: KeyUpkeepDeps): Promise<void> {
  for (const kind of ["session", "token"] as const) {
    const before = new Date(deps.clock.now().getTime() - KEEP_MS[kind]);
    let count: number;
    do {
      count = await deleteEndedApiKeys(deps.database.sql, { kind, before, limit: BATCH });
    } while (count === BATCH);
  }
}

/** The next turn tries again. */
async function attempt(deps: KeyUpkeepDeps, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.log.warn({ error }, "upkeep of credentials is put off");
  }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
