/** Deletes what nobody needs any more: chats long archived, and files that no chat took up in a day. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Database } from "@atelier/database/database";
import { deleteArchivedChats } from "../state/chat-purge-store.ts";
import { deleteUnusedFiles } from "./chat-file-store.ts";

export type PurgeDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long archived chats stay. Null: for ever. */
  readonly retentionMs: number | null;
};

const EVERY_MS = 600_000;
const UNUSED_FILES_KEPT_MS = 86_400_000;
/** Of a batch: a chat takes thousands of rows with it. */
const BATCH = 20;
/** Of a round: the database has other things to do. */
const ROUND_MAX = 1_000;

/** What holds may change between rounds. */
type Purging = Omit<PurgeDeps, "retentionMs"> & {
  readonly retentionMs: () => Promise<number | null>;
};

/** Servers that do this side by side do not disturb each other. */
export async function keepPurging(deps: Purging, signal: AbortSignal): Promise<void> {
  for (;;) {
    await deps.clock.sleep(EVERY_MS, signal);
    try {
      await purge({ ...deps, retentionMs: await deps.retentionMs() }, signal);
    } catch (error) {
      signal.throwIfAborted();
      deps.log.warn({ error }, "old chats and unused files stay for now");
    }
  }
}

export async function purge(deps: PurgeDeps, signal: AbortSignal): Promise<void> {
  const { database, clock, log, retentionMs } = deps;
  const nowMs = clock.now().getTime();
  const filesBefore = new Date(nowMs - UNUSED_FILES_KEPT_MS);
  const files = await inBatches(signal, (max) =>
    deleteUnusedFiles(database.sql, { before: filesBefore, max }),
  );
  let chats = 0;
  if (retentionMs !== null) {
    const before = new Date(nowMs - retentionMs);
    chats = await inBatches(signal, (max) => deleteArchivedChats(database.sql, { before, max }));
  }
  if (files + chats > 0) log.info({ files, chats }, "deleted archived chats and unused files");
}

async function inBatches(
  signal: AbortSignal,
  deleteSome: (max: number) => Promise<number>,
): Promise<number> {
  let total = 0;
  while (total < ROUND_MAX) {
    signal.throwIfAborted();
    const deleted = await deleteSome(BATCH);
    total += deleted;
    if (deleted < BATCH) break;
  }
  return total;
}
