/**
 * The recorder for a gateway in another thread, in mode `strict`: it writes over connections of its own,
 * so that no record crosses threads. What it has begun is noted in memory that outlives the thread;
 * when the thread dies, another ends it.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type {
  InterceptionEnd,
  InterceptionRecorder,
  InterceptionStart,
} from "@atelier/contract/rpc/gateway-ports";
import type { Database } from "@atelier/database/database";
import type { Metrics } from "@atelier/host/metrics";
import { STARTS_IN_FLIGHT_MAX, StrictRecorder } from "./ai-usage/interception-recorder-actions.ts";
import { createOpenRecordsMemory, listOpenRecords, OpenRecords } from "./ai-usage/open-records.ts";
import { RecordWriter, type RecordingPeers } from "./ai-usage/record-writer-actions.ts";
import { createRecorderMetrics } from "./ai-usage/recorder-metrics.ts";
import { endInterceptions } from "./ai-usage/usage-record-store.ts";
import { bareEnd, ORPHAN_MESSAGE, toEndText } from "./ai-usage/usage-record.ts";

/** As many statements as the recorder runs at a time. */
export const RECORDER_CONNECTIONS_MAX = STARTS_IN_FLIGHT_MAX + 1;

export type RecorderElsewhereDeps = {
  readonly database: Pick<Database, "pool">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Of the server to which the thread belongs. */
  readonly replicaId: string;
  readonly logRecords: boolean;
  /** Of `RecordingElsewhere`, for this thread alone. */
  readonly openRecords: SharedArrayBuffer;
  readonly peers: RecordingPeers;
};

export class RecorderElsewhere implements InterceptionRecorder, AsyncDisposable {
  readonly #open: OpenRecords;
  readonly #recorder: StrictRecorder;

  constructor({ database, metrics, openRecords, peers, ...deps }: RecorderElsewhereDeps) {
    this.#open = new OpenRecords(openRecords);
    const writer = new RecordWriter({ database, peers, onEnded: (id) => this.#open.delete(id) });
    this.#recorder = new StrictRecorder({
      ...deps,
      writer,
      metrics: createRecorderMetrics(metrics),
    });
  }

  async start(record: InterceptionStart): Promise<void> {
    this.#open.add(record);
    try {
      await this.#recorder.start(record);
    } catch (error) {
      // A start that becomes durable after its caller was refused is ended by the recorder itself.
      this.#open.delete(record.id);
      throw error;
    }
  }

  end(record: InterceptionEnd): void {
    this.#recorder.end(record);
  }

  drain(signal: AbortSignal): Promise<void> {
    return this.#recorder.drain(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#recorder[Symbol.asyncDispose]();
  }
}

/** What the thread with the control plane does for those. */
export interface RecordingElsewhere {
  readonly replicaId: string;
  readonly logRecords: boolean;
  /** For one thread. */
  newMemory(): SharedArrayBuffer;
  /** Of a thread that is no more: what it began is ended. Resolves when nothing of it can be left. */
  endLeft(openRecords: SharedArrayBuffer, signal: AbortSignal): Promise<void>;
}

/** A statement that the dead thread had sent is over by then: Postgres gives it 30 s. */
const LAST_STATEMENT_MS = 31_000;

export function recordingElsewhere(deps: {
  readonly recorder: InterceptionRecorder;
  readonly database: Pick<Database, "pool">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly replicaId: string;
  readonly logRecords: boolean;
}): RecordingElsewhere {
  const { recorder, database, clock, log, replicaId, logRecords } = deps;
  return {
    replicaId,
    logRecords,
    newMemory: createOpenRecordsMemory,
    endLeft: async (openRecords, signal) => {
      const error = { type: "unknown", message: ORPHAN_MESSAGE } as const;
      const endedAt = clock.now();
      const ends = listOpenRecords(openRecords).map((open) => bareEnd({ ...open, endedAt, error }));
      if (ends.length === 0) return;
      log.warn({ interceptions: ends.length }, "ending what a thread that died has left open");
      for (const end of ends) recorder.end(end);
      // A start that was on its way to the database then was unknown to the ends above.
      await clock.sleep(LAST_STATEMENT_MS, signal);
      await endInterceptions(database.pool, ends.map(toEndText));
    },
  };
}
