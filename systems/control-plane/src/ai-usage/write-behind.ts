/**
 * A queue of writes that nobody waits for. Keeps their order, writes them in batches, repeats a batch
 * while the database is away, and finds the one write that spoils a batch.
 *
 * Its limits are a defined loss: beyond them the oldest writes are dropped, counted and logged.
 */
import { Fifo } from "./fifo.ts";
import {
  writeUntilDone,
  type PersistentWrite,
  type PersistentWriteMetrics,
} from "./persistent-write.ts";

export type WriteBehindOptions<Item> = PersistentWrite<Item> & {
  readonly bytesOf: (item: Item) => number;
  readonly metrics: WriteBehindMetrics;
  readonly limits: WriteBehindLimits;
};

export type WriteBehindMetrics = PersistentWriteMetrics & {
  queued(items: number): void;
  dropped(reason: "overflow" | "refused", items: number): void;
};

export type WriteBehindLimits = {
  readonly itemsMax: number;
  readonly bytesMax: number;
  readonly batchItemsMax: number;
  readonly batchBytesMax: number;
  /** How long a batch waits to become fuller. */
  readonly lingerMs: number;
};

/** One line for a burst of dropped writes. */
const DROP_LOG_MS = 1_000;

/** Made once: what wakes from it looks at nothing. */
const IN_A_HURRY = new Error("no more waiting");

type Queued<Item> = { readonly item: Item; readonly bytes: number };

export class WriteBehind<Item> implements AsyncDisposable {
  readonly #options: WriteBehindOptions<Item>;
  readonly #stop = new AbortController();
  readonly #queue = new Fifo<Queued<Item>>();
  #queuedBytes = 0;
  #inFlight = 0;
  #pump: Promise<void> | null = null;
  /** Ends the wait of a batch that becomes fuller. */
  #hurry = new AbortController();
  #drains = 0;
  #overflow = { dropped: 0, loggedMs: Number.NEGATIVE_INFINITY };

  constructor(options: WriteBehindOptions<Item>) {
    this.#options = options;
  }

  /** Never throws and never waits. */
  add(item: Item): void {
    if (this.#stop.signal.aborted) {
      this.#options.metrics.dropped("overflow", 1);
      this.#options.log.error(this.#options.nameOf(item), "record lost: it came after the end");
      return;
    }
    const bytes = this.#options.bytesOf(item);
    this.#queue.push({ item, bytes });
    this.#queuedBytes += bytes;
    this.#dropOverflow();
    if (this.#queue.length === this.#options.limits.batchItemsMax) this.#hurry.abort(IN_A_HURRY);
    this.#report();
    this.#pump ??= this.#run();
  }

  /** Resolves when everything added so far is written or dropped. Rejects with the signal's reason. */
  async drain(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#drains += 1;
    this.#hurry.abort(IN_A_HURRY);
    try {
      while (this.#pump !== null) await Promise.race([this.#pump, aborted.promise]);
    } finally {
      this.#drains -= 1;
      signal.removeEventListener("abort", abort);
    }
  }

  /** What is not drained is lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(IN_A_HURRY);
    this.#hurry.abort(IN_A_HURRY);
    await this.#pump;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const stop = this.#stop.signal;
    while (this.#queue.length > 0 && !stop.aborted) {
      await this.#linger();
      const batch = this.#take();
      this.#inFlight = batch.length;
      await writeUntilDone(this.#options, batch, stop);
      this.#inFlight = 0;
      this.#report();
    }
    this.#pump = null;
  }

  async #linger(): Promise<void> {
    const { clock, limits } = this.#options;
    if (this.#drains > 0 || this.#queue.length >= limits.batchItemsMax) return;
    this.#hurry = new AbortController();
    await clock.sleep(limits.lingerMs, this.#hurry.signal).catch(() => {});
  }

  #take(): readonly Item[] {
    const { batchItemsMax, batchBytesMax } = this.#options.limits;
    const batch: Item[] = [];
    let bytes = 0;
    for (let next = this.#queue.peek(0); next !== undefined; next = this.#queue.peek(0)) {
      const isFull = batch.length === batchItemsMax || bytes + next.bytes > batchBytesMax;
      // A write that is too big for any batch goes alone.
      if (isFull && batch.length > 0) break;
      batch.push(next.item);
      bytes += next.bytes;
      this.#queue.shift();
    }
    this.#queuedBytes -= bytes;
    return batch;
  }

  #dropOverflow(): void {
    const { clock, limits, log, metrics } = this.#options;
    let dropped = 0;
    while (
      this.#queue.length > limits.itemsMax ||
      (this.#queuedBytes > limits.bytesMax && this.#queue.length > 1)
    ) {
      this.#queuedBytes -= this.#queue.shift()?.bytes ?? 0;
      dropped += 1;
    }
    if (dropped === 0) return;
    metrics.dropped("overflow", dropped);
    this.#overflow.dropped += dropped;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#overflow.loggedMs < DROP_LOG_MS) return;
    const lost = this.#overflow.dropped;
    log.error({ lost }, "the queue of records is full: the oldest are lost");
    this.#overflow = { dropped: 0, loggedMs: nowMs };
  }

  #report(): void {
    this.#options.metrics.queued(this.#queue.length + this.#inFlight);
  }
}
