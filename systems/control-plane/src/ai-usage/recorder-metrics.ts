/** What operators see of recording. Made once: each way of recording adds to the same figures. */
import type { Metrics } from "@atelier/host/metrics";
import type { PersistentWriteMetrics } from "./persistent-write.ts";
import type { WriteBehindMetrics } from "./write-behind.ts";

export type RecorderMetrics = {
  readonly queue: WriteBehindMetrics;
  readonly drain: PersistentWriteMetrics;
  readonly spool: {
    /** Asked when somebody looks. */
    observe(state: () => SpoolState): void;
    full(): void;
  };
};

export type SpoolState = {
  readonly bytes: number;
  readonly records: number;
  readonly oldestMs: number;
};

export function createRecorderMetrics(metrics: Metrics): RecorderMetrics {
  const queue = metrics.gauge("recorder_queue", "Records waiting to be written.", []);
  const dropped = metrics.counter("recorder_dropped_total", "Records lost, by reason.", ["reason"]);
  const retries = metrics.counter("recorder_retries_total", "Batches that were repeated.", []);
  const seconds = metrics.histogram(
    "recorder_write_seconds",
    "Time to write a batch of records.",
    [],
    [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
  );
  // It changes with every request, and is looked at every few seconds.
  let waiting = 0;
  metrics.onRender(() => queue.set(waiting));
  const wrote = (took: number): void => seconds.observe(took);
  return {
    queue: {
      queued: (items) => {
        waiting = items;
      },
      dropped: (reason, items) => dropped.inc({ reason }, items),
      retried: () => retries.inc(),
      wrote,
    },
    ...createSpoolMetrics(metrics, {
      dropped: (reason, items) => dropped.inc({ reason }, items),
      wrote,
    }),
  };
}

function createSpoolMetrics(
  metrics: Metrics,
  shared: Pick<PersistentWriteMetrics, "dropped" | "wrote">,
): Pick<RecorderMetrics, "drain" | "spool"> {
  const bytes = metrics.gauge("recorder_spool_bytes", "Bytes of this server's spool files.", []);
  const records = metrics.gauge(
    "recorder_spool_records",
    "Records of this server's spool that are not in Postgres yet.",
    [],
  );
  const oldest = metrics.gauge(
    "recorder_spool_oldest_seconds",
    "Age of the request to which the oldest of them belongs.",
    [],
  );
  const failures = metrics.counter(
    "recorder_spool_drain_failures_total",
    "Times that spooled records could not be brought to Postgres and were tried again.",
    [],
  );
  const full = metrics.counter(
    "recorder_spool_full_total",
    "Requests for which the spool had no room.",
    [],
  );
  return {
    drain: { ...shared, retried: () => failures.inc() },
    spool: {
      observe: (state) =>
        metrics.onRender(() => {
          const now = state();
          bytes.set(now.bytes);
          records.set(now.records);
          oldest.set(now.oldestMs / 1_000);
        }),
      full: () => full.inc(),
    },
  };
}
