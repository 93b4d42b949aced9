/**
 * A queue of writes that nobody waits for. Keeps their order, writes them in batches, repeats a batch
 * while the database is away, and finds the one write that spoils a batch.
 *
 * Its limits are a defined loss: beyond them the oldest writes are dropped, counted and logged.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";

export type WriteBehindOptions<Item> = {
  /** Safe to repeat: a batch whose outcome is unknown is written again. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** Whether the same write may work later. Everything else is the write's own fault. */
  readonly isTransient: (error: unknown) => boolean;
  readonly bytesOf: (item: Item) => number;
  /** Names an item in the log. */
  readonly nameOf: (item: Item) => object;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: WriteBehindMetrics;
  readonly limits: WriteBehindLimits;
};

export type WriteBehindMetrics = {
  queued(items: number): void;
  dropped(reason: "overflow" | "refused", items: number): void;
  retried(): void;
  wrote(seconds: number): void;
};

export type WriteBehindLimits = {
  readonly itemsMax: number;
  readonly bytesMax: number;
  readonly batchItemsMax: number;
  readonly batchBytesMax: number;
  /** How long a batch waits to become fuller. */
  readonly lingerMs: number;
};

/** Repeats go on for as long as the process lives: the limit is the queue's. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;
/** One line for a burst of dropped writes. */
const DROP_LOG_MS = 1_000;

type Queued<Item> = { readonly item: Item; readonly bytes: number };

export class WriteBehind<Item> implements AsyncDisposable {
  readonly #options: WriteBehindOptions<Item>;
  readonly #stop = new AbortController();
  #queue: Queued<Item>[] = [];
  #queuedBytes = 0;
  #inFlight = 0;
  #pump: Promise<void> | null = null;
  #hurry = Promise.withResolvers<void>();
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
    if (this.#queue.length >= this.#options.limits.batchItemsMax) this.#hurry.resolve();
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
    this.#hurry.resolve();
    try {
      while (this.#pump !== null) await Promise.race([this.#pump, aborted.promise]);
    } finally {
      this.#drains -= 1;
      signal.removeEventListener("abort", abort);
    }
  }

  /** What is not drained is lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("shutting down"));
    await this.#pump;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const stop = this.#stop.signal;
    while (this.#queue.length > 0 && !stop.aborted) {
      await this.#linger(stop);
      const batch = this.#take();
      this.#inFlight = batch.length;
      await this.#write(batch, stop);
      this.#inFlight = 0;
      this.#report();
    }
    this.#pump = null;
  }

  async #linger(stop: AbortSignal): Promise<void> {
    const { clock, limits } = this.#options;
    this.#hurry = Promise.withResolvers<void>();
    if (this.#drains > 0 || this.#queue.length >= limits.batchItemsMax) return;
    const awake = new AbortController();
    const slept = clock.sleep(limits.lingerMs, AbortSignal.any([stop, awake.signal]));
    await Promise.race([slept.catch(() => {}), this.#hurry.promise]);
    awake.abort();
  }

  #take(): readonly Item[] {
    const { batchItemsMax, batchBytesMax } = this.#options.limits;
    let count = 0;
    let bytes = 0;
    for (const queued of this.#queue) {
      const isFull = count === batchItemsMax || bytes + queued.bytes > batchBytesMax;
      // A write that is too big for any batch goes alone.
      if (isFull && count > 0) break;
      count += 1;
      bytes += queued.bytes;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count).map((queued) => queued.item);
  }

  async #write(items: readonly Item[], stop: AbortSignal): Promise<void> {
    const { clock, isTransient, metrics } = this.#options;
    for (let delayMs = RETRY_MS_MIN; !stop.aborted; delayMs = Math.min(delayMs * 2, RETRY_MS_MAX)) {
      const startedMs = clock.monotonicMs();
      try {
        await this.#options.write(items);
        metrics.wrote((clock.monotonicMs() - startedMs) / 1_000);
        return;
      } catch (error) {
        if (!isTransient(error)) return this.#split(items, error, stop);
        this.#options.log.warn({ error, items: items.length, delayMs }, "recording is retried");
        metrics.retried();
        if (!stop.aborted) await clock.sleep(delayMs, stop).catch(() => {});
      }
    }
  }

  /** Halves the batch until the write that the database refuses stands alone. */
  async #split(items: readonly Item[], error: unknown, stop: AbortSignal): Promise<void> {
    const [first] = items;
    if (items.length > 1) {
      const middle = items.length >> 1;
      await this.#write(items.slice(0, middle), stop);
      await this.#write(items.slice(middle), stop);
    } else if (first !== undefined) {
      this.#options.metrics.dropped("refused", 1);
      this.#options.log.error({ ...this.#options.nameOf(first), error }, "record refused and lost");
    }
  }

  #dropOverflow(): void {
    const { clock, limits, log, metrics } = this.#options;
    let dropped = 0;
    while (
      this.#queue.length - dropped > limits.itemsMax ||
      (this.#queuedBytes > limits.bytesMax && this.#queue.length - dropped > 1)
    ) {
      this.#queuedBytes -= this.#queue[dropped]?.bytes ?? 0;
      dropped += 1;
    }
    if (dropped === 0) return;
    this.#queue.splice(0, dropped);
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
