/**
 * What one recorded interception costs the gateway's process: the recorder alone, on an embedded
 * Postgres that syncs, with so many requests under way at a time. No relay and no HTTP.
 *
 * CPU is that of this process with all its threads; Postgres's own is told beside it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { InterceptionRecorder } from "@atelier/contract/rpc/gateway-ports";
import { startRecording } from "@atelier/control-plane/start-recording";
import { openDatabase } from "@atelier/database/database";
import { startEmbeddedPostgres } from "@atelier/database/embedded-postgres";
import { migrate } from "@atelier/database/migrate";
import { createMetrics } from "@atelier/host/metrics";
import { Tasks } from "@atelier/host/tasks";
import { figureOf, figureText, tableOf } from "./figures.ts";
import { treeCpuMs } from "./process-tree.ts";
import { sampleEnd, sampleStart } from "./sample-record.ts";

const SPOOL_BYTES_MAX = 1_024 * 1_024 * 1_024;
const CONCURRENCIES = [1, 8, 64] as const;

const MODES = ["strict", "spool"] as const;

type Sample = { readonly ownUs: number; readonly postgresUs: number; readonly perSecond: number };

export async function runRecordingBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "2" },
      concurrency: { type: "string", default: CONCURRENCIES.join(",") },
      mode: { type: "string", default: "strict,spool" },
    },
  });
  await using resources = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), "atelier-bench-"));
  resources.defer(() => rmSync(dataDir, { recursive: true }));
  const deps = { log: silentLogger, clock: systemClock };
  const postgres = resources.use(await startEmbeddedPostgres({ dataDir, ...deps }));
  const database = resources.use(
    openDatabase({
      connection: postgres.connection,
      applicationName: "bench",
      connectionsMax: 20,
      log: silentLogger,
    }),
  );
  await migrate(database, silentLogger);
  const lanes = new Map<string, InterceptionRecorder>();
  for (const mode of MODES.filter((each) => values.mode.includes(each))) {
    const recorder = await startRecording(
      {
        ...deps,
        database,
        random: systemRandom,
        metrics: createMetrics(),
        tasks: resources.use(new Tasks(silentLogger)),
        replicaId: systemRandom.uuid(),
        logRecords: false,
        recording: { mode, dataDir, spoolBytesMax: SPOOL_BYTES_MAX },
      },
      resources,
    );
    lanes.set(mode, recorder);
    // The first calls pay for compiling.
    await measure(recorder, { concurrency: 8, seconds: 1 });
  }
  const samples = await measureAll(lanes, {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    concurrencies: values.concurrency.split(",").map(Number),
  });
  const rows = [...samples].map(([name, all]) => [
    name,
    figureText(figureOf(all.map((each) => each.ownUs))),
    figureText(figureOf(all.map((each) => each.postgresUs))),
    figureText(figureOf(all.map((each) => each.perSecond))),
  ]);
  console.log(
    tableOf(["recording", "CPU µs/interception", "Postgres's CPU µs", "interceptions/s"], rows),
  );
}

async function measureAll(
  lanes: ReadonlyMap<string, InterceptionRecorder>,
  options: {
    readonly rounds: number;
    readonly seconds: number;
    readonly concurrencies: readonly number[];
  },
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>();
  for (let round = 0; round < options.rounds; round += 1) {
    for (const concurrency of options.concurrencies) {
      // Alternating, so that a noisy moment hits both alike.
      for (const [mode, recorder] of lanes) {
        const sample = await measure(recorder, { concurrency, seconds: options.seconds });
        const name = `${mode}, ${concurrency} at a time`;
        samples.set(name, [...(samples.get(name) ?? []), sample]);
      }
    }
  }
  return samples;
}

async function measure(
  recorder: InterceptionRecorder,
  { concurrency, seconds }: { readonly concurrency: number; readonly seconds: number },
): Promise<Sample> {
  const before = process.cpuUsage();
  const postgresBeforeMs = treeCpuMs(process.pid).postgres;
  const startedMs = performance.now();
  const untilMs = startedMs + seconds * 1_000;
  let done = 0;
  const work = async (_: unknown, worker: number): Promise<void> => {
    while (performance.now() < untilMs) {
      await record(recorder, done + worker);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  await recorder.drain(AbortSignal.timeout(60_000));
  const { user, system } = process.cpuUsage(before);
  const postgresUs = (treeCpuMs(process.pid).postgres - postgresBeforeMs) * 1_000;
  return {
    ownUs: (user + system) / done,
    postgresUs: postgresUs / done,
    perSecond: (done * 1_000) / (performance.now() - startedMs),
  };
}

async function record(recorder: InterceptionRecorder, count: number): Promise<void> {
  const id = systemRandom.uuid();
  const start = sampleStart(id, count, systemClock.now());
  await recorder.start(start);
  recorder.end(sampleEnd(start, count, systemClock.now()));
}
