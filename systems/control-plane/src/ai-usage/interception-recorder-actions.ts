/**
 * The gateway's recorder on Postgres (spec gateway 9.2, 9.3, 10.2).
 *
 * A start is durable when its promise resolves. Everything after it is written a moment later, in
 * batches, and survives an outage of the database as long as the process and its queue do. Sessions'
 * totals grow exactly once for each interception, however often a write is repeated.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type {
  InterceptionEnd,
  InterceptionRecorder,
  InterceptionStart,
} from "@atelier/contract/rpc/gateway-ports";
import { isDatabaseUnavailable, type Database } from "@atelier/database/database";
import type { Metrics } from "@atelier/host/metrics";
import { LRUCache } from "lru-cache";
import { GroupCommit } from "./group-commit.ts";
import { logEnd, logStart } from "./interception-log.ts";
import {
  endInterceptions,
  findToolCallers,
  insertFilterValues,
  insertInterceptions,
  touchSessions,
} from "./usage-record-store.ts";
import {
  filterValuesOf,
  lineageOf,
  toEndRows,
  toStartRow,
  touchesOf,
  type EndRows,
  type FilterValue,
  type Lineage,
  type StartRow,
  type ToolCaller,
} from "./usage-record.ts";
import { WriteBehind, type WriteBehindMetrics } from "./write-behind.ts";

export type RecorderDeps = {
  /** Its pool runs at most STARTS_IN_FLIGHT_MAX + 1 statements of the recorder at a time. */
  readonly database: Pick<Database, "pool">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Of this server: when it dies, its interceptions are ended by another. */
  readonly replicaId: string;
  /** Also write each record to the log, prompts included. */
  readonly logRecords: boolean;
};

const LATE_START_MESSAGE = "the request was refused because its record took too long to write";

export const STARTS_BATCH_MAX = 100;
export const STARTS_IN_FLIGHT_MAX = 4;
export const STARTS_WAITING_MAX = 10_000;
/** A caller waits no longer for its start to be durable. */
export const START_MS_MAX = 5_000;
/** Records waiting for the database: some minutes of an outage at hundreds of requests a second. */
export const QUEUE_ITEMS_MAX = 50_000;
export const QUEUE_BYTES_MAX = 256 * 1_024 * 1_024;
const BATCH_ITEMS_MAX = 200;
const BATCH_BYTES_MAX = 8 * 1_024 * 1_024;
const LINGER_MS = 20;
/** Tool calls whose results may come back soon, so that most requests need no look into the database. */
const TOOL_CALLS_MAX = 20_000;
/** Requests under way. Far more than one process relays at a time. */
const LIVE_MAX = 100_000;
const SEEN_VALUES_MAX = 100_000;

export function createInterceptionRecorder(
  deps: RecorderDeps,
): InterceptionRecorder & AsyncDisposable {
  return new PostgresRecorder(deps);
}

type Starting = {
  readonly record: InterceptionStart;
  row: StartRow | null;
};

type Write =
  | { readonly kind: "started"; readonly row: StartRow }
  | { readonly kind: "ended"; readonly rows: EndRows; readonly bytes: number };

type Live = { readonly initiatorId: string; readonly caller: ToolCaller };

class PostgresRecorder implements InterceptionRecorder, AsyncDisposable {
  readonly #deps: RecorderDeps;
  readonly #starts: GroupCommit<Starting>;
  readonly #writes: WriteBehind<Write>;
  /** Not an LRUCache: that one clears all its room whenever its last entry is deleted. */
  readonly #live = new Map<string, Live>();
  readonly #toolCalls = new LRUCache<string, ToolCaller>({ max: TOOL_CALLS_MAX });
  readonly #seenValues = new LRUCache<string, true>({ max: SEEN_VALUES_MAX });

  constructor(deps: RecorderDeps) {
    const { clock, log } = deps;
    this.#deps = deps;
    this.#starts = new GroupCommit({
      write: (items) => this.#writeStarts(items),
      onLate: (starting) => this.#endLate(starting),
      isRefusal: (error) => !isTransient(error),
      clock,
      batchMax: STARTS_BATCH_MAX,
      inFlightMax: STARTS_IN_FLIGHT_MAX,
      waitingMax: STARTS_WAITING_MAX,
      waitMsMax: START_MS_MAX,
    });
    this.#writes = new WriteBehind({
      write: (items) => this.#writeQueued(items),
      isTransient,
      bytesOf: (write) => (write.kind === "ended" ? write.bytes : 1_000),
      nameOf: (write) => ({
        interception_id: write.kind === "ended" ? write.rows.end.id : write.row.id,
      }),
      clock,
      log,
      metrics: queueMetrics(deps.metrics),
      limits: {
        itemsMax: QUEUE_ITEMS_MAX,
        bytesMax: QUEUE_BYTES_MAX,
        batchItemsMax: BATCH_ITEMS_MAX,
        batchBytesMax: BATCH_BYTES_MAX,
        lingerMs: LINGER_MS,
      },
    });
  }

  async start(record: InterceptionStart): Promise<void> {
    const starting: Starting = { record, row: null };
    await this.#starts.write(starting);
    if (starting.row === null) return;
    const { row } = starting;
    this.#noteLive(row);
    this.#writes.add({ kind: "started", row });
    if (this.#deps.logRecords) logStart(this.#deps.log, record, row);
  }

  end(record: InterceptionEnd): void {
    const live = this.#live.get(record.id);
    this.#live.delete(record.id);
    // Its results may come back before the queue is written.
    for (const { toolCallId } of live === undefined ? [] : record.toolCalls) {
      if (toolCallId === "") continue;
      this.#toolCalls.set(toolCallKey(live?.initiatorId ?? "", toolCallId), live?.caller);
    }
    const rows = toEndRows(record, this.#deps.random);
    this.#writes.add({ kind: "ended", rows, bytes: bytesOf(rows) });
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
    const { pool } = this.#deps.database;
    const callers = await this.#findCallers(items.map((item) => item.record));
    const rows = items.map((item, index) => {
      const lineage: Lineage = lineageOf(item.record, callers[index] ?? null);
      return toStartRow(item.record, lineage, this.#deps.replicaId);
    });
    try {
      await insertInterceptions(pool, rows);
    } catch (error) {
      // A pooled connection that died while idle shows it at its next use. Repeating is safe: the
      // statement skips rows that are there. Once only, because callers wait.
      if (!isDatabaseUnavailable(error)) throw error;
      await insertInterceptions(pool, rows);
    }
    for (const [index, item] of items.entries()) item.row = rows[index] ?? null;
  }

  /** Null where there is none, and where the database could not say: the conversation then splits. */
  async #findCallers(
    records: readonly InterceptionStart[],
  ): Promise<readonly (ToolCaller | null)[]> {
    const known = records.map(({ caller, correlatingToolCallId }) =>
      correlatingToolCallId === null
        ? null
        : this.#toolCalls.get(toolCallKey(caller.userId, correlatingToolCallId)),
    );
    const unknown = records.flatMap(({ caller, correlatingToolCallId: toolCallId }, index) =>
      known[index] === undefined && toolCallId !== null && toolCallId !== ""
        ? [{ index, call: { initiatorId: caller.userId, toolCallId } }]
        : [],
    );
    const found = records.map((_, index) => known[index] ?? null);
    if (unknown.length === 0) return found;
    try {
      const calls = unknown.map((each) => each.call);
      const callers = await findToolCallers(this.#deps.database.pool, calls);
      for (const [position, { index }] of unknown.entries()) {
        found[index] = callers[position] ?? null;
      }
    } catch (error) {
      this.#deps.log.warn({ error, records: unknown.length }, "find tool callers");
    }
    return found;
  }

  #noteLive(row: StartRow): void {
    this.#live.set(row.id, { initiatorId: row.initiator_id, caller: callerOf(row) });
    if (this.#live.size <= LIVE_MAX) return;
    const [oldest = ""] = this.#live.keys();
    this.#live.delete(oldest);
  }

  /** Its caller was refused, so nobody will end it. */
  #endLate({ record, row }: Starting): void {
    if (row === null) return;
    this.#writes.add({ kind: "started", row });
    this.end({
      id: record.id,
      startedAt: record.startedAt,
      endedAt: this.#deps.clock.now(),
      credentialHint: "",
      error: { type: "timeout", message: LATE_START_MESSAGE },
      tokens: [],
      prompts: [],
      toolCalls: [],
      thoughts: [],
    });
  }

  async #writeQueued(items: readonly Write[]): Promise<void> {
    const { pool } = this.#deps.database;
    const started = items.flatMap((item) => (item.kind === "started" ? [item.row] : []));
    const ended = items.flatMap((item) => (item.kind === "ended" ? [item.rows] : []));
    if (started.length > 0) {
      await touchSessions(pool, touchesOf(started));
      await this.#writeFilterValues(started);
    }
    if (ended.length > 0) await this.#writeEnds(ended);
  }

  async #writeFilterValues(started: readonly StartRow[]): Promise<void> {
    const fresh = new Map<string, FilterValue>();
    for (const value of started.flatMap((row) => filterValuesOf(row))) {
      const key = `${value.initiator_id} ${value.kind} ${value.value}`;
      if (!this.#seenValues.has(key)) fresh.set(key, value);
    }
    if (fresh.size === 0) return;
    await insertFilterValues(this.#deps.database.pool, [...fresh.values()]);
    for (const key of fresh.keys()) this.#seenValues.set(key, true);
  }

  async #writeEnds(all: readonly EndRows[]): Promise<void> {
    const { pool } = this.#deps.database;
    const ended = firstOfEach(all);
    const written = await endInterceptions(pool, ended);
    const rest = ended.filter((rows) => !written.has(rows.end.id));
    // Ended before, unknown, or taken for dead by another server in this very moment. Only a second
    // look tells the last case, and then writes what is ours.
    if (rest.length > 0) await endInterceptions(pool, rest);
  }
}

/** Inside one statement a second end could not see the first. */
function firstOfEach(ends: readonly EndRows[]): readonly EndRows[] {
  const byId = new Map<string, EndRows>();
  for (const rows of ends) if (!byId.has(rows.end.id)) byId.set(rows.end.id, rows);
  return byId.size === ends.length ? ends : [...byId.values()];
}

/** 40001 and 40P01: Postgres undid the statement in favour of another one. 57014: it took too long. */
function isTransient(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === "40001" || code === "40P01" || code === "57014" || isDatabaseUnavailable(error);
}

function callerOf(row: StartRow): ToolCaller {
  const rootId = row.thread_root_id ?? row.id;
  return { interceptionId: row.id, rootId, sessionId: row.session_id };
}

function toolCallKey(initiatorId: string, toolCallId: string): string {
  return `${initiatorId} ${toolCallId}`;
}

/** About what the texts take; the rest of a record is small. */
function bytesOf(rows: EndRows): number {
  let bytes = 1_000 + 200 * (rows.tokens.length + rows.tools.length);
  for (const { prompt } of rows.prompts) bytes += prompt.length * 2;
  for (const { input } of rows.tools) bytes += input.length * 2;
  for (const { content } of rows.thoughts) bytes += content.length * 2;
  return bytes;
}

function queueMetrics(metrics: Metrics): WriteBehindMetrics {
  const queue = metrics.gauge("recorder_queue", "Records waiting to be written.", []);
  const dropped = metrics.counter("recorder_dropped_total", "Records lost, by reason.", ["reason"]);
  const retries = metrics.counter("recorder_retries_total", "Batches that were repeated.", []);
  const seconds = metrics.histogram(
    "recorder_write_seconds",
    "Time to write a batch of records.",
    [],
    [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
  );
  return {
    queued: (items) => queue.set(items),
    dropped: (reason, items) => dropped.inc({ reason }, items),
    retried: () => retries.inc(),
    wrote: (took) => seconds.observe(took),
  };
}
