/**
 * The recorder port of a gateway in another thread. What one turn of the event loop has to record goes
 * to the main thread as one message, whose recorder writes it as if it came from there.
 *
 * A start resolves when it is durable. Ends are bounded by starts: while too many records wait for the
 * main thread, starts are refused. A worker that dies leaves open records, which the main thread ends.
 */
import type { Clock } from "@atelier/base/clock";
import type {
  InterceptionEnd,
  InterceptionRecorder,
  InterceptionStart,
} from "@atelier/contract/rpc/gateway-ports";

export type RecordBatch = {
  readonly starts: readonly InterceptionStart[];
  readonly ends: readonly InterceptionEnd[];
};

/** Of each start in its order: null, or why it could not be recorded. */
export type RecordedBatch = readonly (string | null)[];

/** Records that the main thread has not taken yet: seconds of work, and then some of the ends. */
export const WAITING_MAX = 10_000;

const WORKER_DIED = "the gateway worker that served this request ended unexpectedly";

type Starting = {
  readonly record: InterceptionStart;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

export class MessageRecorder implements InterceptionRecorder {
  readonly #send: (batch: RecordBatch) => Promise<RecordedBatch>;
  readonly #onLost: (lost: number, error: unknown) => void;
  #starts: Starting[] = [];
  #ends: InterceptionEnd[] = [];
  #isFlushing = false;
  /** Sent and not answered. */
  readonly #sent = new Set<Promise<void>>();
  #waiting = 0;

  /** `onLost`: ends that the main thread did not take, which only happens once that one is gone. */
  constructor(
    send: (batch: RecordBatch) => Promise<RecordedBatch>,
    onLost: (lost: number, error: unknown) => void,
  ) {
    this.#send = send;
    this.#onLost = onLost;
  }

  start(record: InterceptionStart): Promise<void> {
    if (this.#waiting >= WAITING_MAX) {
      return Promise.reject(new Error("too many records wait to be written"));
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#starts.push({ record, resolve, reject });
    this.#flushSoon();
    return promise;
  }

  end(record: InterceptionEnd): void {
    this.#ends.push(record);
    this.#flushSoon();
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#flush();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (this.#sent.size > 0) await Promise.race([Promise.all(this.#sent), late]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      late.catch(() => {}); // Nobody waits for it any more.
    }
  }

  #flushSoon(): void {
    this.#waiting += 1;
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushing = false;
    const starts = this.#starts;
    const ends = this.#ends;
    if (starts.length + ends.length === 0) return;
    this.#starts = [];
    this.#ends = [];
    const sent = this.#sendBatch(starts, ends).finally(() => {
      this.#sent.delete(sent);
      this.#waiting -= starts.length + ends.length;
    });
    this.#sent.add(sent);
  }

  async #sendBatch(starts: readonly Starting[], ends: readonly InterceptionEnd[]): Promise<void> {
    try {
      const failures = await this.#send({ starts: starts.map(({ record }) => record), ends });
      for (const [index, { resolve, reject }] of starts.entries()) {
        const failure = failures[index] ?? null;
        if (failure === null) resolve();
        else reject(new Error(failure));
      }
    } catch (error) {
      for (const { reject } of starts) reject(toError(error));
      if (ends.length > 0) this.#onLost(ends.length, error);
    }
  }
}

/** The main thread's side, for one worker. */
export class RecordReceiver {
  readonly #recorder: InterceptionRecorder;
  readonly #clock: Clock;
  readonly #open = new Map<string, InterceptionStart>();
  #isWorkerGone = false;

  constructor(recorder: InterceptionRecorder, clock: Clock) {
    this.#recorder = recorder;
    this.#clock = clock;
  }

  async take({ starts, ends }: RecordBatch): Promise<RecordedBatch> {
    for (const record of ends) {
      this.#open.delete(record.id);
      this.#recorder.end(record);
    }
    return Promise.all(starts.map((record) => this.#start(record)));
  }

  /** Ends what the worker began and cannot end any more. */
  workerIsGone(): void {
    this.#isWorkerGone = true;
    for (const record of this.#open.values()) this.#endOrphan(record);
    this.#open.clear();
  }

  async #start(record: InterceptionStart): Promise<string | null> {
    try {
      await this.#recorder.start(record);
    } catch (error) {
      return toError(error).message;
    }
    if (this.#isWorkerGone) this.#endOrphan(record);
    else this.#open.set(record.id, record);
    return null;
  }

  #endOrphan({ id, startedAt, credentialHint }: InterceptionStart): void {
    this.#recorder.end({
      id,
      startedAt,
      endedAt: this.#clock.now(),
      credentialHint,
      error: { type: "server_error", message: WORKER_DIED },
      tokens: [],
      prompts: [],
      toolCalls: [],
      thoughts: [],
      trail: null,
    });
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
