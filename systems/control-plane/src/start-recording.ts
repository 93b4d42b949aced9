/** Chooses where records of gateway use go first, and brings what an earlier server left behind. */
import { join } from "node:path";
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { InterceptionRecorder } from "@atelier/contract/rpc/gateway-ports";
import type { Database } from "@atelier/database/database";
import type { Metrics } from "@atelier/host/metrics";
import type { Tasks } from "@atelier/host/tasks";
import { StrictRecorder } from "./ai-usage/interception-recorder-actions.ts";
import { RecordWriter, type RecordingPeers } from "./ai-usage/record-writer-actions.ts";
import { createRecorderMetrics } from "./ai-usage/recorder-metrics.ts";
import { startTakeoverTask } from "./ai-usage/spool-takeover-task.ts";
import { SpooledRecorder } from "./ai-usage/spooled-recorder-actions.ts";
import { openSpool, takeOverSpools } from "./record-spool/spool-io.ts";

export type RecordingConfig = {
  /** `strict`: a start is in Postgres before the provider is called. `spool`: on the local disk. */
  readonly mode: "strict" | "spool";
  readonly dataDir: string;
  readonly spoolBytesMax: number;
};

export type RecordingDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tasks: Tasks;
  readonly replicaId: string;
  readonly logRecords: boolean;
  readonly recording: RecordingConfig;
  /** Absent: no other thread of this server records. */
  readonly peers?: RecordingPeers | undefined;
};

/** Below the data directory. */
const SPOOL_DIRECTORY = "spool";

export async function startRecording(
  deps: RecordingDeps,
  resources: AsyncDisposableStack,
): Promise<InterceptionRecorder> {
  const { database, clock, log, random, tasks, recording } = deps;
  const metrics = createRecorderMetrics(deps.metrics);
  const root = join(recording.dataDir, SPOOL_DIRECTORY);
  const takeOver = () => takeOverSpools(root, log);
  const { replicaId, logRecords, peers } = deps;
  const writer = new RecordWriter({ database, peers });
  const recorderDeps = { writer, clock, log, metrics, replicaId, logRecords };
  // In either mode: the one before may have been the other.
  startTakeoverTask({ database, clock, log, metrics: metrics.drain, takeOver, tasks });
  const strict = new StrictRecorder(recorderDeps);
  if (recording.mode === "strict") return resources.use(strict);
  const spool = resources.use(await openSpool({ root, log, newName: () => random.uuid() }));
  const { spoolBytesMax } = recording;
  return resources.use(new SpooledRecorder({ ...recorderDeps, spool, spoolBytesMax, strict }));
}
