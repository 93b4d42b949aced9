/**
 * Archives chats with which nobody has done anything for long (spec agents 9.4). Of each family one entry
 * of the audit log says so.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { ChatAudit } from "@atelier/contract/rpc/chat-ports";
import type { Database } from "@atelier/database/database";
import type { ChatMachine } from "../state/chat-machine.ts";
import { listIdleChats } from "./idle-chat-store.ts";

export type AutoArchiveDeps = {
  readonly database: Database;
  readonly machine: ChatMachine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly audit: ChatAudit;
  readonly idleMs: number;
};

const EVERY_MS = 600_000;
/** Of a round. */
const ROUND_MAX = 1_000;

/** What holds may change between rounds. Null: never. */
type Archiving = Omit<AutoArchiveDeps, "idleMs"> & {
  readonly idleMs: () => Promise<number | null>;
};

/** Servers that do this side by side do not disturb each other. */
export async function keepArchiving(deps: Archiving, signal: AbortSignal): Promise<void> {
  for (;;) {
    await deps.clock.sleep(EVERY_MS, signal);
    try {
      const idleMs = await deps.idleMs();
      if (idleMs !== null) await archiveIdle({ ...deps, idleMs }, signal);
    } catch (error) {
      signal.throwIfAborted();
      deps.log.warn({ error }, "idle chats are not archived for now");
    }
  }
}

export async function archiveIdle(deps: AutoArchiveDeps, signal: AbortSignal): Promise<void> {
  const { database, machine, clock, log, audit, idleMs } = deps;
  const before = new Date(clock.now().getTime() - idleMs);
  for (const id of await listIdleChats(database.sql, { before, max: ROUND_MAX })) {
    signal.throwIfAborted();
    // Somebody may have come back to it in the meantime: then it is refused.
    const archived = await machine.setFamilyArchived(id, true, {
      idleSince: before,
      record: (db, { title }) =>
        audit.record(db, {
          ...{ resourceId: id, target: title, by: "chat_auto_archive" },
          ...{ before: { archived: false }, after: { archived: true } },
        }),
    });
    if (archived.ok) log.info({ chatId: id }, "archived a chat that was idle for long");
  }
}
