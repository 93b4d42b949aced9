/**
 * Many small writes that each wait for their commit, in few statements.
 *
 * What arrives while all slots are busy goes out together with the next free one; a lone write goes
 * at once. So waiting costs nothing at low load, and at high load a statement carries many writes.
 */
import type { Clock } from "@atelier/base/clock";

export type GroupCommitOptions<Item> = {
  /** Writes all or none of them. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** Told of an item that was written after its caller had been refused for waiting too long. */
  readonly onLate: (item: Item) => void;
  /** Whether the statement was at fault: its items are then written one by one. */
  readonly isRefusal: (error: unknown) => boolean;
  readonly clock: Clock;
  readonly batchMax: number;
  readonly inFlightMax: number;
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

/** How often those who wait are looked at: the deadline is kept to within this. */
const SWEEP_MS = 250;

export class GroupCommit<Item> implements AsyncDisposable {
  readonly #options: GroupCommitOptions<Item>;
  readonly #stop = new AbortController();
  #waiting: Waiting<Item>[] = [];
  readonly #inFlight = new Set<readonly Waiting<Item>[]>();
  readonly #running = new Set<Promise<void>>();
  #sweeping: Promise<void> | null = null;

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
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sinceMs = clock.monotonicMs();
    this.#waiting.push({ item, sinceMs, resolve, reject, isSettled: false });
    this.#send();
    this.#sweeping ??= this.#sweep();
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("shutting down"));
    await Promise.all([...this.#running, this.#sweeping]);
  }

  #send(): void {
    const { batchMax, inFlightMax } = this.#options;
    while (this.#waiting.length > 0 && this.#inFlight.size < inFlightMax) {
      const batch = this.#waiting.splice(0, batchMax);
      this.#inFlight.add(batch);
      const running = this.#commit(batch).finally(() => {
        this.#inFlight.delete(batch);
        this.#running.delete(running);
        this.#send();
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
      waiting.isSettled = true;
      waiting.resolve();
    }
  }

  async #sweep(): Promise<void> {
    const { clock, waitMsMax } = this.#options;
    const stop = this.#stop.signal;
    while (!stop.aborted && (this.#waiting.length > 0 || this.#inFlight.size > 0)) {
      await clock.sleep(SWEEP_MS, stop).catch(() => {});
      const beforeMs = clock.monotonicMs() - waitMsMax;
      const late = [...this.#inFlight, this.#waiting]
        .flat()
        .filter((waiting) => waiting.sinceMs <= beforeMs);
      for (const waiting of late) {
        refuse(waiting, new Error(`the database did not answer within ${waitMsMax} ms`));
      }
      this.#waiting = this.#waiting.filter((waiting) => !waiting.isSettled);
    }
    this.#sweeping = null;
  }
}

function refuse(waiting: { isSettled: boolean; reject: (error: Error) => void }, error: Error) {
  waiting.isSettled = true;
  waiting.reject(error);
}
