/**
 * Writes what is recorded, one call after the other, beside the turns. What waits is bounded in number and
 * size, and each write has a budget of time: beyond either it is dropped and counted.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { Database, Sql } from "@atelier/database/database";
import type { Metrics } from "@atelier/host/metrics";
import { roughSize } from "./bounded-json.ts";
import type {
  DebugCall,
  DebugCallEnd,
  DebugRecorder,
  DebugTurnEnd,
  HttpTap,
} from "./debug-recorder.ts";
import { beginningRow, debugIds, endRow } from "./debug-record.ts";
import { insertBeginning, limitStatements, updateEnd, updateRunEnd } from "./debug-run-store.ts";

export type DebugWritingDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** Spec agents 9.5. */
const WRITE_MS_MAX = 5_000;
const WAITING_MAX = 256;
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
/** When the server stops, what waits is still written for so long. */
const LAST_WORDS_MS_MAX = 2_000;
/** Chats whose turn is recorded here. */
const TURNS_MAX = 10_000;

type Waiting = {
  readonly bytes: number;
  /** False: what it belongs to was dropped. */
  readonly write: (db: Sql) => Promise<boolean>;
};

export class DebugWriting implements DebugRecorder {
  readonly #deps: DebugWritingDeps;
  readonly #writeMsMax: number;
  readonly #dropped: ReturnType<typeof countDropped>;
  readonly #turns = new Map<string, string>();
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #wake: () => void = () => {};
  #isFailing = false;

  constructor(deps: DebugWritingDeps, writeMsMax = WRITE_MS_MAX) {
    this.#deps = deps;
    this.#writeMsMax = writeMsMax;
    this.#dropped = countDropped(deps.metrics);
  }

  begin(tap: HttpTap, call: () => DebugCall): (end: () => DebugCallEnd) => void {
    try {
      return this.#begin(tap, call());
    } catch (error) {
      this.#lost("not_described", error);
      return () => {};
    }
  }

  turnEnded(chatId: string, status: DebugTurnEnd): void {
    const runId = this.#turns.get(chatId);
    if (runId === undefined) return;
    this.#turns.delete(chatId);
    const at = this.#deps.clock.now();
    this.#add(0, async (db) => {
      await updateRunEnd(db, runId, { status, at });
      return true;
    });
  }

  /** Until the signal, and then for a moment more. */
  async keepWriting(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    while (!signal.aborted) {
      const next = this.#take();
      if (next !== undefined) await this.#write(next);
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + LAST_WORDS_MS_MAX;
    for (let last = this.#take(); last !== undefined; last = this.#take()) {
      if (clock.monotonicMs() < untilMs) await this.#write(last);
      else this.#lost("stopped", null);
    }
  }

  #begin(tap: HttpTap, call: DebugCall): (end: () => DebugCallEnd) => void {
    const { clock, random } = this.#deps;
    const ids = debugIds(call, () => random.uuid());
    const at = clock.now();
    const { credentials } = tap;
    tap.take(); // What went by before is not of this call.
    if (call.kind === "chat_turn") {
      if (this.#turns.size >= TURNS_MAX) this.#turns.clear();
      this.#turns.set(call.chat.id, ids.runId);
    }
    this.#add(roughSize(call.request), async (db) => {
      await insertBeginning(db, beginningRow(ids, call, { at, credentials }));
      return true;
    });
    return (endOf) => {
      try {
        const [end, seen, endedAt] = [endOf(), tap.take(), clock.now()];
        const facts = { at: endedAt, credentials };
        this.#add(roughSize([end, seen]), (db) =>
          updateEnd(db, endRow({ ids, call }, { end, seen }, facts)),
        );
      } catch (error) {
        this.#lost("not_described", error);
      }
    };
  }

  #add(bytes: number, write: Waiting["write"]): void {
    if (this.#waiting.length >= WAITING_MAX || this.#bytes + bytes > WAITING_BYTES_MAX) {
      this.#lost("too_many", null);
      return;
    }
    this.#waiting.push({ bytes, write });
    this.#bytes += bytes;
    this.#wake();
  }

  #take(): Waiting | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#bytes -= next.bytes;
    return next;
  }

  async #write({ write }: Waiting): Promise<void> {
    try {
      const isWritten = await this.#deps.database.transaction(async (db) => {
        await limitStatements(db, this.#writeMsMax);
        return write(db);
      });
      if (!isWritten) this.#lost("without_beginning", null);
      this.#isFailing = false;
    } catch (error) {
      this.#lost("not_written", error);
    }
  }

  /** The first of a row of failures is told; the others are counted. */
  #lost(reason: string, error: unknown): void {
    this.#dropped.inc({ reason });
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#deps.log.warn({ reason, err: error }, "the recording of a chat's model call was dropped");
  }
}

function countDropped(metrics: Metrics) {
  return metrics.counter(
    "chat_debug_records_dropped_total",
    "Records of chats' model calls that were not written, because the database was too slow or refused them.",
    ["reason"],
  );
}
