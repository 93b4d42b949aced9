/**
 * Many small writes that each wait for their commit, in few statements.
 *
 * What arrives while a statement is under way goes out together when that one is done; a lone write
 * goes at once. Only a full batch, or a statement that takes its time, lets another one go beside it.
 * Where several write at a time, the next statement waits a moment for those who were just served: whoever
 * comes back quickly would else find half of the others gone already, and wait for two statements from then on.
 * So a lone write waits for nothing, and at high load a statement carries many writes.
 */
import type { Clock } from "@atelier/base/clock";

export type GroupCommitOptions<Item> = {
  /** Writes all or none of them. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** Told of each item that is written, before its caller is. */
  readonly onWritten?: (item: Item) => void;
  /** Told instead of an item that was written after its caller had been refused for waiting too long. */
  readonly onLate: (item: Item) => void;
  /** Whether the statement was at fault: its items are then written one by one. */
  readonly isRefusal: (error: unknown) => boolean;
  readonly clock: Clock;
  readonly batchMax: number;
  /** Statements at a time, when one alone is too slow. */
  readonly inFlightMax: number;
  /** After a statement that carried several: so long the next one waits for as many as were about. */
  readonly gatherMs: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
};

type Waiting<Item> = {
  readonly item: Item;
  readonly sinceMs: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  isSettled: boolean;
};

/**
 * How often those who wait are looked at: the deadline is kept to within this, and a statement that
 * takes longer no longer holds others back.
 */
const SWEEP_MS = 250;

export class GroupCommit<Item> implements AsyncDisposable {
  readonly #options: GroupCommitOptions<Item>;
  readonly #stop = new AbortController();
  #waiting: Waiting<Item>[] = [];
  readonly #inFlight = new Set<readonly Waiting<Item>[]>();
  readonly #running = new Set<Promise<void>>();
  #sweeping: Promise<void> | null = null;
  #isSending = false;
  #isGathering = false;
  /** Until so many wait, or until then. */
  #gatherItems = 0;
  #gatherUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: GroupCommitOptions<Item>) {
    this.#options = options;
  }

  /** Resolves when the item is durable. Rejects when it is not, or too late. */
  write(item: Item): Promise<void> {
    const { clock, waitingMax } = this.#options;
    if (this.#stop.signal.aborted) return Promise.reject(this.#stop.signal.reason as Error);
    if (this.#waiting.length >= waitingMax) {
      return Promise.reject(new Error(`${waitingMax} records wait for the database already`));
    }
    const sinceMs = clock.monotonicMs();
    const promise = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ item, sinceMs, resolve, reject, isSettled: false });
    });
    this.#sendSoon();
    this.#sweeping ??= this.#sweep();
    return promise;
  }

  /** Waits for what is under way; what has not been sent is refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    const reason = new Error("shutting down");
    this.#stop.abort(reason);
    for (const waiting of this.#waiting.splice(0)) refuse(waiting, reason);
    await Promise.all([...this.#running, this.#sweeping]);
  }

  /** After all that this turn of the event loop brings: it goes out together. */
  #sendSoon(): void {
    if (this.#isSending || this.#waiting.length === 0) return;
    const waitMs = this.#gatherLeftMs();
    if (waitMs <= 0) {
      this.#isSending = true;
      setImmediate(() => {
        this.#isSending = false;
        // A statement may have ended meanwhile.
        if (this.#gatherLeftMs() <= 0) this.#send();
        else this.#sendSoon();
      });
    } else if (!this.#isGathering) {
      this.#isGathering = true;
      this.#options.clock.sleep(waitMs, this.#stop.signal).then(this.#onGathered, () => {});
    }
  }

  readonly #onGathered = (): void => {
    this.#isGathering = false;
    this.#sendSoon();
  };

  #gatherLeftMs(): number {
    if (this.#waiting.length >= this.#gatherItems) return 0;
    return this.#gatherUntilMs - this.#options.clock.monotonicMs();
  }

  #gatherAfter({ length }: readonly unknown[]): void {
    if (length < 2) return;
    const { clock, batchMax, gatherMs } = this.#options;
    this.#gatherItems = Math.min(length + this.#waiting.length, batchMax);
    this.#gatherUntilMs = clock.monotonicMs() + gatherMs;
  }

  #send({ isSlow = false } = {}): void {
    const { batchMax, inFlightMax } = this.#options;
    while (this.#waiting.length > 0 && this.#inFlight.size < inFlightMax) {
      if (this.#inFlight.size > 0 && this.#waiting.length < batchMax && !isSlow) return;
      const batch = this.#waiting.splice(0, batchMax);
      this.#inFlight.add(batch);
      const running = this.#commit(batch).finally(() => {
        this.#inFlight.delete(batch);
        this.#running.delete(running);
        this.#gatherAfter(batch);
        this.#sendSoon();
      });
      this.#running.add(running);
    }
  }

  /** Never rejects: each caller learns of its own item. */
  async #commit(batch: readonly Waiting<Item>[]): Promise<void> {
    const items = batch.map((waiting) => waiting.item);
    try {
      await this.#options.write(items);
    } catch (error) {
      if (batch.length > 1 && this.#options.isRefusal(error)) {
        for (const waiting of batch) await this.#commit([waiting]);
        return;
      }
      for (const waiting of batch) refuse(waiting, new Error("record", { cause: error }));
      return;
    }
    for (const waiting of batch) {
      if (waiting.isSettled) this.#options.onLate(waiting.item);
      else this.#options.onWritten?.(waiting.item);
      waiting.isSettled = true;
      waiting.resolve();
    }
  }

  async #sweep(): Promise<void> {
    const { clock, waitMsMax } = this.#options;
    const stop = this.#stop.signal;
    while (!stop.aborted && (this.#waiting.length > 0 || this.#inFlight.size > 0)) {
      await clock.sleep(SWEEP_MS, stop).catch(() => {});
      if (stop.aborted) break;
      const beforeMs = clock.monotonicMs() - waitMsMax;
      const late = [...this.#inFlight, this.#waiting]
        .flat()
        .filter((waiting) => waiting.sinceMs <= beforeMs);
      for (const waiting of late) {
        refuse(waiting, new Error(`the database did not answer within ${waitMsMax} ms`));
      }
      this.#waiting = this.#waiting.filter((waiting) => !waiting.isSettled);
      // Whoever has waited for a whole round has waited for a slow statement.
      const isSlow = (this.#waiting[0]?.sinceMs ?? Infinity) <= clock.monotonicMs() - SWEEP_MS;
      this.#send({ isSlow });
    }
    this.#sweeping = null;
  }
}

function refuse(waiting: { isSettled: boolean; reject: (error: Error) => void }, error: Error) {
  waiting.isSettled = true;
  waiting.reject(error);
}
