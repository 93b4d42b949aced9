/**
 * A batch that is written again and again while the database is away. When the database refuses it
 * instead, the one write that spoils the batch is found and lost, and the others are written.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";

export type PersistentWrite<Item> = {
  /** Safe to repeat: a batch whose outcome is unknown is written again. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** Whether the same write may work later. Everything else is the write's own fault. */
  readonly isTransient: (error: unknown) => boolean;
  /** Names an item in the log. */
  readonly nameOf: (item: Item) => object;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: PersistentWriteMetrics;
};

export type PersistentWriteMetrics = {
  dropped(reason: "refused", items: number): void;
  retried(): void;
  wrote(seconds: number): void;
};

/** Repeats go on for as long as the process lives: who calls has a limit on what waits. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

/** False: it was told to stop, and something is not written. Never rejects. */
export async function writeUntilDone<Item>(
  options: PersistentWrite<Item>,
  items: readonly Item[],
  stop: AbortSignal,
): Promise<boolean> {
  const { clock, isTransient, log, metrics } = options;
  for (let delayMs = RETRY_MS_MIN; !stop.aborted; delayMs = Math.min(delayMs * 2, RETRY_MS_MAX)) {
    const startedMs = clock.monotonicMs();
    try {
      await options.write(items);
      metrics.wrote((clock.monotonicMs() - startedMs) / 1_000);
      return true;
    } catch (error) {
      if (!isTransient(error)) return splitRefused(options, items, { error, stop });
      log.warn({ error, items: items.length, delayMs }, "recording is retried");
      metrics.retried();
      if (!stop.aborted) await clock.sleep(delayMs, stop).catch(() => {});
    }
  }
  return false;
}

/** Halves the batch until the write that the database refuses stands alone. */
async function splitRefused<Item>(
  options: PersistentWrite<Item>,
  items: readonly Item[],
  { error, stop }: { readonly error: unknown; readonly stop: AbortSignal },
): Promise<boolean> {
  const [first] = items;
  if (items.length > 1) {
    const middle = items.length >> 1;
    return (
      (await writeUntilDone(options, items.slice(0, middle), stop)) &&
      writeUntilDone(options, items.slice(middle), stop)
    );
  }
  if (first !== undefined) {
    options.metrics.dropped("refused", 1);
    options.log.error({ ...options.nameOf(first), error }, "record refused and lost");
  }
  return true;
}
