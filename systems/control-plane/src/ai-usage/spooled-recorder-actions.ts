/**
 * Recording mode `spool`: a record is durable when it is on this server's own disk, and a background
 * loop brings it to Postgres. So requests go on while the database is away, for as long as the spool
 * has room; what is left when the process ends is brought by its next start (spool-takeover-task.ts).
 *
 * Without room, or where the disk fails, nothing is promised that cannot be kept: with a full spool a
 * start goes to Postgres as in mode `strict`, and a start that the disk refuses is refused. Ends of
 * requests under way are always taken: those that the disk refuses wait in memory.
 */
import type {
  InterceptionEnd,
  InterceptionRecorder,
  InterceptionStart,
} from "@atelier/contract/rpc/gateway-ports";
import type { Spool } from "../record-spool/spool.ts";
import { GroupCommit } from "./group-commit.ts";
import {
  LATE_START_MESSAGE,
  QUEUE_BYTES_MAX,
  START_MS_MAX,
  STARTS_WAITING_MAX,
  type RecorderDeps,
} from "./interception-recorder-actions.ts";
import { logEnd, logStart } from "./interception-log.ts";
import { writeUntilDone } from "./persistent-write.ts";
import { mayWorkLater } from "./record-writer-actions.ts";
import { drainOnce } from "./spool-drain-actions.ts";
import { printEnd, printStart, toSpooledStart } from "./spooled-record.ts";
import { bareEnd, toEndText, type EndText } from "./usage-record.ts";

export type SpooledRecorderDeps = RecorderDeps & {
  readonly spool: Spool;
  /** Of the spool's files. Ends of requests under way may pass it. */
  readonly spoolBytesMax: number;
  /** Takes what the spool has no room for. Disposed together with this recorder. */
  readonly strict: InterceptionRecorder & AsyncDisposable;
};

/** Records that share one wait for the disk. */
const APPEND_BATCH_MAX = 500;
/** How long the drain lets a batch become fuller. */
const LINGER_MS = 20;
const READ_RETRY_MS = 1_000;
const HELD_BATCH_MAX = 200;

type Append =
  | { readonly kind: "start"; readonly record: InterceptionStart; readonly payload: string }
  | { readonly kind: "end"; readonly payload: string };

export class SpooledRecorder implements InterceptionRecorder, AsyncDisposable {
  readonly #deps: SpooledRecorderDeps;
  readonly #appends: GroupCommit<Append>;
  readonly #ends = new Set<Promise<void>>();
  /** Started in Postgres, because the spool was full: they end there. */
  readonly #direct = new Set<string>();
  /** Ends that the disk refused. They are written when all that was spooled before them is. */
  readonly #held: EndText[] = [];
  #heldBytes = 0;
  readonly #stop = new AbortController();
  readonly #pump: Promise<void>;
  #wake = Promise.withResolvers<void>();
  #rest = Promise.withResolvers<void>();
  #counts = { appended: 0, drained: 0 };
  #oldestAt: Date | null = null;
  #drains = 0;
  #isFull = false;

  constructor(deps: SpooledRecorderDeps) {
    const { clock, metrics } = deps;
    this.#deps = deps;
    this.#appends = new GroupCommit({
      write: (items) => this.#append(items),
      onLate: (item) => this.#endLate(item),
      // One record is too long: the others do not suffer for it.
      isRefusal: (error) => error instanceof RangeError,
      clock,
      batchMax: APPEND_BATCH_MAX,
      inFlightMax: 1,
      gatherMs: 0,
      waitingMax: STARTS_WAITING_MAX,
      waitMsMax: START_MS_MAX,
    });
    metrics.spool.observe(() => ({
      bytes: deps.spool.bytes,
      records: this.#counts.appended - this.#counts.drained + this.#held.length,
      oldestMs: Math.max(0, clock.now().getTime() - (this.#oldestAt ?? clock.now()).getTime()),
    }));
    this.#pump = this.#run();
  }

  async start(record: InterceptionStart): Promise<void> {
    if (!this.#hasRoom()) {
      await this.#deps.strict.start(record);
      this.#direct.add(record.id);
      return;
    }
    const { replicaId, log, logRecords } = this.#deps;
    const start = toSpooledStart(record, replicaId);
    await this.#appends.write({ kind: "start", record, payload: printStart(start) });
    if (logRecords) logStart(log, record, start.row);
  }

  end(record: InterceptionEnd): void {
    if (this.#direct.delete(record.id)) {
      this.#deps.strict.end(record);
      return;
    }
    const end = toEndText(record);
    const appended = this.#appends
      .write({ kind: "end", payload: printEnd(end) })
      .catch((error: unknown) => this.#hold(end, error))
      .finally(() => this.#ends.delete(appended));
    this.#ends.add(appended);
    if (this.#deps.logRecords) logEnd(this.#deps.log, record);
  }

  /** Resolves also when the signal comes first, as long as all that is left is on the disk. */
  async drain(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const abort = (): void => aborted.resolve();
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    this.#drains += 1;
    try {
      await this.#deps.strict.drain(signal);
      await Promise.race([Promise.all(this.#ends), aborted.promise]);
      while (!this.#isDrained() && !signal.aborted) {
        this.#wake.resolve();
        await Promise.race([this.#rest.promise, aborted.promise]);
      }
    } finally {
      this.#drains -= 1;
      signal.removeEventListener("abort", abort);
    }
    if (this.#ends.size > 0 || this.#held.length > 0) signal.throwIfAborted();
    if (this.#isDrained()) return;
    const records = this.#counts.appended - this.#counts.drained;
    this.#deps.log.warn({ records }, "records stay in the spool until the next start");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#appends[Symbol.asyncDispose]();
    this.#stop.abort(new Error("shutting down"));
    this.#wake.resolve();
    await this.#pump;
    await this.#deps.strict[Symbol.asyncDispose]();
  }

  #hasRoom(): boolean {
    const { spool, spoolBytesMax, log, metrics } = this.#deps;
    const isFull = spool.bytes >= spoolBytesMax;
    if (isFull) metrics.spool.full();
    if (isFull !== this.#isFull) {
      this.#isFull = isFull;
      if (isFull) log.error({ bytes: spool.bytes }, "the spool of records is full");
      else log.info({}, "the spool of records has room again");
    }
    return !isFull;
  }

  async #append(items: readonly Append[]): Promise<void> {
    await this.#deps.spool.append(items.map((item) => item.payload));
    this.#counts.appended += items.length;
    this.#wake.resolve();
  }

  /** Its caller was refused, so nobody will end it. */
  #endLate(item: Append): void {
    if (item.kind === "end") return;
    const { id, startedAt } = item.record;
    const error = { type: "timeout", message: LATE_START_MESSAGE } as const;
    this.end(bareEnd({ id, startedAt, endedAt: this.#deps.clock.now(), error }));
  }

  #hold(end: EndText, error: unknown): void {
    const { log, metrics } = this.#deps;
    log.error({ interception_id: end.id, error }, "the spool refuses an end: it waits in memory");
    this.#held.push(end);
    this.#heldBytes += end.json.length * 2;
    while (this.#heldBytes > QUEUE_BYTES_MAX) {
      const oldest = this.#held.shift();
      if (oldest === undefined) break;
      this.#heldBytes -= oldest.json.length * 2;
      metrics.queue.dropped("overflow", 1);
    }
    this.#wake.resolve();
  }

  #isDrained(): boolean {
    return this.#counts.drained === this.#counts.appended && this.#held.length === 0;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const stop = this.#stop.signal;
    const { clock, log, metrics } = this.#deps;
    while (!stop.aborted) {
      try {
        await this.#step(stop);
      } catch (error) {
        log.error({ error }, "the spool cannot be read");
        metrics.drain.retried();
        await clock.sleep(READ_RETRY_MS, stop).catch(() => {});
      }
    }
  }

  async #step(stop: AbortSignal): Promise<void> {
    const { spool, metrics, ...deps } = this.#deps;
    const { appended } = this.#counts;
    const drained = await drainOnce({ ...deps, metrics: metrics.drain }, spool, {
      stop,
      onRead: (oldestAt) => {
        this.#oldestAt = oldestAt;
      },
    });
    if (drained !== null) {
      this.#counts.drained = Math.min(
        this.#counts.appended,
        this.#counts.drained + drained.records,
      );
      return;
    }
    this.#counts.drained = appended;
    this.#oldestAt = null;
    if (this.#held.length > 0) await this.#writeHeld(stop);
    else await this.#sleep(stop);
  }

  async #writeHeld(stop: AbortSignal): Promise<void> {
    const batch = this.#held.slice(0, HELD_BATCH_MAX);
    const { writer, metrics, ...deps } = this.#deps;
    for (const end of batch) writer.noteEnded(end);
    const write = {
      ...deps,
      metrics: metrics.drain,
      write: (ends: readonly EndText[]) => writer.writeEnds(ends),
      isTransient: mayWorkLater,
      nameOf: (end: EndText) => ({ interception_id: end.id }),
    };
    if (!(await writeUntilDone(write, batch, stop))) return;
    const written = new Set(batch);
    const rest = this.#held.filter((end) => !written.has(end));
    this.#held.splice(0, this.#held.length, ...rest);
    this.#heldBytes = rest.reduce((bytes, end) => bytes + end.json.length * 2, 0);
  }

  /** Until something comes, and then a little longer, so that more can come. */
  async #sleep(stop: AbortSignal): Promise<void> {
    this.#rest.resolve();
    await this.#wake.promise;
    this.#wake = Promise.withResolvers();
    this.#rest = Promise.withResolvers();
    if (this.#drains === 0) await this.#deps.clock.sleep(LINGER_MS, stop).catch(() => {});
  }
}
