/**
 * The gateway's recorder on Postgres (spec gateway 9.2, 9.3, 10.2): recording mode `strict`.
 *
 * A start is durable when its promise resolves. Everything after it is written a moment later, in
 * batches, and survives an outage of the database as long as the process and its queue do. Sessions'
 * totals grow exactly once for each interception, however often a write is repeated.
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
import { GroupCommit } from "./group-commit.ts";
import { logEnd, logStart } from "./interception-log.ts";
import { createRecorderMetrics, type RecorderMetrics } from "./recorder-metrics.ts";
import { mayWorkLater, RecordWriter } from "./record-writer-actions.ts";
import {
  bareEnd,
  lineageOf,
  toEndText,
  toStartRow,
  type EndText,
  type StartRow,
} from "./usage-record.ts";
import { WriteBehind } from "./write-behind.ts";

export type RecorderDeps = {
  /** Runs at most STARTS_IN_FLIGHT_MAX + 1 statements of this recorder at a time. */
  readonly writer: RecordWriter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: RecorderMetrics;
  /** Of this server: when it dies, its interceptions are ended by another. */
  readonly replicaId: string;
  /** Also write each record to the log, prompts included. */
  readonly logRecords: boolean;
};

export const LATE_START_MESSAGE =
  "the request was refused because its record took too long to write";

export const STARTS_BATCH_MAX = 100;
export const STARTS_IN_FLIGHT_MAX = 4;
/** About what a request takes that is answered at once. */
const STARTS_GATHER_MS = 2;
export const STARTS_WAITING_MAX = 10_000;
/** A caller waits no longer for its start to be durable. */
export const START_MS_MAX = 5_000;
/** Records waiting for the database: some minutes of an outage at hundreds of requests a second. */
export const QUEUE_ITEMS_MAX = 50_000;
export const QUEUE_BYTES_MAX = 256 * 1_024 * 1_024;
const BATCH_ITEMS_MAX = 200;
const BATCH_BYTES_MAX = 8 * 1_024 * 1_024;
const LINGER_MS = 20;

type Starting = {
  readonly record: InterceptionStart;
  row: StartRow | null;
};

type Write =
  | { readonly kind: "started"; readonly row: StartRow }
  | { readonly kind: "ended"; readonly end: EndText };

export function createInterceptionRecorder({
  database,
  metrics,
  ...deps
}: Omit<RecorderDeps, "writer" | "metrics"> & {
  readonly database: Pick<Database, "pool">;
  readonly metrics: Metrics;
}): InterceptionRecorder & AsyncDisposable {
  const writer = new RecordWriter({ database });
  return new StrictRecorder({ ...deps, writer, metrics: createRecorderMetrics(metrics) });
}

export class StrictRecorder implements InterceptionRecorder, AsyncDisposable {
  readonly #deps: RecorderDeps;
  readonly #starts: GroupCommit<Starting>;
  readonly #writes: WriteBehind<Write>;

  constructor(deps: RecorderDeps) {
    const { clock, log, metrics } = deps;
    this.#deps = deps;
    this.#starts = new GroupCommit({
      write: (items) => this.#writeStarts(items),
      onWritten: (starting) => this.#onStarted(starting),
      onLate: (starting) => this.#endLate(starting),
      isRefusal: (error) => !mayWorkLater(error),
      clock,
      batchMax: STARTS_BATCH_MAX,
      inFlightMax: STARTS_IN_FLIGHT_MAX,
      gatherMs: STARTS_GATHER_MS,
      waitingMax: STARTS_WAITING_MAX,
      waitMsMax: START_MS_MAX,
    });
    this.#writes = new WriteBehind({
      write: (items) => this.#writeQueued(items),
      isTransient: mayWorkLater,
      bytesOf: (write) => (write.kind === "ended" ? write.end.json.length * 2 : 1_000),
      nameOf: (write) => ({
        interception_id: write.kind === "ended" ? write.end.id : write.row.id,
      }),
      clock,
      log,
      metrics: metrics.queue,
      limits: {
        itemsMax: QUEUE_ITEMS_MAX,
        bytesMax: QUEUE_BYTES_MAX,
        batchItemsMax: BATCH_ITEMS_MAX,
        batchBytesMax: BATCH_BYTES_MAX,
        lingerMs: LINGER_MS,
      },
    });
  }

  start(record: InterceptionStart): Promise<void> {
    return this.#starts.write({ record, row: null });
  }

  #onStarted({ record, row }: Starting): void {
    if (row === null) return;
    this.#deps.writer.noteStarted(row);
    this.#writes.add({ kind: "started", row });
    if (this.#deps.logRecords) logStart(this.#deps.log, record, row);
  }

  end(record: InterceptionEnd): void {
    const end = toEndText(record);
    this.#deps.writer.noteEnded(end);
    this.#writes.add({ kind: "ended", end });
    if (this.#deps.logRecords) logEnd(this.#deps.log, record);
  }

  async drain(signal: AbortSignal): Promise<void> {
    await this.#writes.drain(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#starts[Symbol.asyncDispose]();
    await this.#writes[Symbol.asyncDispose]();
  }

  async #writeStarts(items: readonly Starting[]): Promise<void> {
    const { writer, log } = this.#deps;
    const calls = items.map(({ record: { caller, correlatingToolCallId: toolCallId } }) =>
      toolCallId === null || toolCallId === "" ? null : { initiatorId: caller.userId, toolCallId },
    );
    const callers = await writer.findCallers(calls, {
      // The conversation then splits.
      onFailure: (error) => log.warn({ error }, "find tool callers"),
    });
    const rows = items.map(({ record }, index) =>
      toStartRow(record, lineageOf(record, callers[index] ?? null), this.#deps.replicaId),
    );
    await writer.insertStarts(rows);
    for (const [index, item] of items.entries()) item.row = rows[index] ?? null;
  }

  /** Its caller was refused, so nobody will end it. */
  #endLate({ record: { id, startedAt }, row }: Starting): void {
    if (row === null) return;
    this.#writes.add({ kind: "started", row });
    const error = { type: "timeout", message: LATE_START_MESSAGE } as const;
    this.end(bareEnd({ id, startedAt, endedAt: this.#deps.clock.now(), error }));
  }

  async #writeQueued(items: readonly Write[]): Promise<void> {
    const { writer } = this.#deps;
    const started = items.flatMap((item) => (item.kind === "started" ? [item.row] : []));
    const ended = items.flatMap((item) => (item.kind === "ended" ? [item.end] : []));
    if (started.length > 0) await writer.writeStarted(started, { endedToo: ended });
    if (ended.length > 0) await writer.writeEnds(ended);
  }
}
