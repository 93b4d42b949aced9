/**
 * Keeps parts for successors: in one write for all that came within a moment. A part is shown when it is
 * kept, so a server that dies takes nothing along that somebody has read; one that has lost its chat
 * keeps nothing more. What an episode begins with is kept before it is on the database's disk, which the write
 * behind it, or its step, brings it to (docs/decisions/0032-first-words-before-the-disk.md).
 *
 * While the database is away parts wait, up to a bound.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { WakeableSleep } from "@atelier/base/wakeable-sleep";
import type { Database } from "@atelier/database/database";
import type { BufferedPart, EpisodeId } from "./part-buffer.ts";
import { PartBacklog, joinEntries, type JournalEntry } from "./part-journal.ts";
import { dropHoursBefore, ensureHours, insertParts, listParts } from "./part-journal-store.ts";

export type PartJournalDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of this server's worker: it keeps parts of chats that it drives. Null: of all. */
  readonly workerId: () => string | null;
  /** A successor finds these from now on. */
  readonly kept: (
    id: EpisodeId,
    range: { readonly firstSeq: number; readonly lastSeq: number },
  ) => void;
};

/**
 * From the beginning of one write to that of the next: what comes alone is written at once, and what comes
 * in a crowd waits for so long, and for the write before it. With both well below 50 ms. What an episode
 * begins with waits for nothing but the write before it, and takes along all that waits: a person looks
 * at an empty answer until then, and there are few of them.
 */
const WRITE_EVERY_MS = 20;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 2_000;
/** Longer than any tool runs. */
const KEPT_MS = 5 * 3_600_000;
const HOURS_AHEAD = 3;
const UPKEEP_EVERY_MS = 20 * 60_000;

export class PartJournal {
  readonly #deps: PartJournalDeps;
  readonly #backlog = new PartBacklog();
  #wake: (() => void) | null = null;
  readonly #gathering: WakeableSleep;
  #isOverflown = false;
  /** Taken from the backlog, and not written yet. */
  #inHand: readonly JournalEntry[] = [];

  constructor(deps: PartJournalDeps) {
    this.#deps = deps;
    this.#gathering = new WakeableSleep(deps.clock);
  }

  /** For the buffer, as its listener. */
  add(id: EpisodeId, part: BufferedPart): void {
    const isTaken = this.#backlog.add(id, part);
    if (!isTaken && !this.#isOverflown) {
      this.#deps.log.warn({}, "parts of answers are not kept: too many wait for the database");
    }
    this.#isOverflown = !isTaken;
    this.#wake?.();
    if (this.#backlog.hasBeginning) this.#gathering.wake();
  }

  /** What of an episode was kept, by whatever server, from this part on and without gaps. */
  async read(id: EpisodeId, fromSeq = 1): Promise<readonly BufferedPart[]> {
    return joinEntries(await listParts(this.#deps.database.sql, id, fromSeq), fromSeq);
  }

  /** Until aborted; then what waits is written once more. */
  async keepWriting(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let nextMs = clock.monotonicMs();
    try {
      for (;;) {
        await this.#somethingWaits(signal);
        await this.#gather(nextMs - clock.monotonicMs(), signal);
        nextMs = clock.monotonicMs() + WRITE_EVERY_MS;
        const isFlushed = !this.#backlog.hasBeginning;
        this.#inHand = this.#backlog.take();
        await this.#write(isFlushed, signal);
      }
    } finally {
      this.#inHand = [...this.#inHand, ...this.#backlog.take()];
      if (this.#inHand.length > 0) await this.#tryToWrite(true);
    }
  }

  /** Partitions of the hours to come, and none of those long gone. Any number of servers may. */
  async keepHours(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.tidyHours();
      } catch (error) {
        this.#deps.log.warn({ error }, "upkeep of kept parts is put off");
      }
      await this.#deps.clock.sleep(UPKEEP_EVERY_MS, signal);
    }
  }

  /** Once. */
  async tidyHours(): Promise<void> {
    const { database, clock } = this.#deps;
    const now = clock.now();
    await ensureHours(database.sql, now, HOURS_AHEAD);
    await dropHoursBefore(database.sql, new Date(now.getTime() - KEPT_MS));
  }

  async #somethingWaits(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#backlog.isEmpty) return;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const stop = (): void => reject(signal.reason);
    this.#wake = () => resolve(undefined);
    signal.addEventListener("abort", stop);
    try {
      await promise;
    } finally {
      this.#wake = null;
      signal.removeEventListener("abort", stop);
    }
  }

  async #gather(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0 && !this.#backlog.hasBeginning) await this.#gathering.sleep(ms, signal);
  }

  async #write(isFlushed: boolean, signal: AbortSignal): Promise<void> {
    let delayMs = RETRY_MS_MIN;
    while (!(await this.#tryToWrite(isFlushed))) {
      await this.#deps.clock.sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 2, RETRY_MS_MAX);
    }
  }

  async #tryToWrite(isFlushed: boolean): Promise<boolean> {
    const { database, clock, log, workerId, kept } = this.#deps;
    try {
      const about = { at: clock.now(), workerId: workerId(), isFlushed };
      const written = await insertParts(database, this.#inHand, about);
      this.#inHand = [];
      for (const { id, firstSeq, parts } of written) {
        kept(id, { firstSeq, lastSeq: firstSeq + parts.length - 1 });
      }
      return true;
    } catch (error) {
      log.warn({ error }, "parts of answers wait for the database");
      return false;
    }
  }
}
