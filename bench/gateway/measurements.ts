/**
 * What is measured of one lane, as short runs that take turns with the other lanes' runs. Each gives
 * named figures; the same names stand in the raw results, the tables and the goals.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { treeCpuMs } from "../process-tree.ts";
import type { LaneDeps, LaneKind, RunningLane } from "./lane.ts";
import { runLoad, type Load, type LoadReport, type LoadRunner } from "./load-driver.ts";
import { modelOf } from "./mock-answer.ts";

/** Figures by name, of one round. */
export type Figures = Readonly<Record<string, number>>;

export type MeasureDeps = {
  readonly load: LoadRunner;
  readonly laneDeps: LaneDeps;
  readonly seconds: number;
  /** Of a plateau. */
  readonly plateauMinutes: number;
};

/** A lane that runs, or one that a measurement starts for itself. */
export type Subject = { readonly kind: LaneKind; readonly lane: RunningLane };

export type Measurement = {
  /** Of the groups that `--only` names. */
  readonly group: string;
  readonly title: string;
  readonly run: (deps: MeasureDeps, subject: Subject) => Promise<Figures>;
};

/** Until what a run has left behind, such as records, is written: it belongs to the run's cost. */
const SETTLE_MS = 300;
const KB = 1_024;

const JSON_2K: Omit<Load, "connections" | "seconds"> = { model: modelOf({}), bodyBytes: 2 * KB };

/** Connections at once while cost is measured, as in published comparisons. */
const COST_CONNECTIONS = 8;

/** CPU per request under load, and requests per second, which pinning bounds. */
function cost(
  name: string,
  load: Omit<Load, "connections" | "seconds">,
  connections = COST_CONNECTIONS,
): Measurement["run"] {
  return async ({ load: runner, seconds }, { lane }) => {
    const before = usedMs(lane);
    const report = await runWhole(runner, lane, { ...load, connections, seconds });
    await sleep(SETTLE_MS);
    const after = usedMs(lane);
    const figures = { [`${name} rate`]: report.done / seconds };
    if (lane.pid === null) return figures;
    const perRequest = (ms: number): number => (ms * 1_000) / report.done;
    const own = { ...figures, [`${name} cpu`]: perRequest(after.own - before.own) };
    return after.postgres === 0
      ? own
      : { ...own, [`${name} postgres cpu`]: perRequest(after.postgres - before.postgres) };
  };
}

function usedMs(lane: RunningLane): ReturnType<typeof treeCpuMs> {
  return lane.pid === null ? { own: 0, postgres: 0 } : treeCpuMs(lane.pid);
}

/** A lane that refuses or breaks requests is not measured: its figures would look good. */
async function runWhole(runner: LoadRunner, lane: RunningLane, load: Load): Promise<LoadReport> {
  const report = await runLoad(runner, lane.target, load);
  if (report.errors > 0 || report.non2xx > 0 || report.done === 0) {
    const { done, errors, non2xx } = report;
    throw new Error(`${done} answers, ${non2xx} of them not 2xx, ${errors} errors`);
  }
  return report;
}

async function latency({ load, seconds }: MeasureDeps, { lane }: Subject): Promise<Figures> {
  const report = await runWhole(load, lane, { ...JSON_2K, connections: 1, seconds });
  return { "latency p50": report.latency?.p50 ?? NaN, "latency p99": report.latency?.p99 ?? NaN };
}

/** Four connections ask 600 times a second: in one second six of them are all that a p99 knows of. */
const FIRST_TOKEN_SECONDS = 3;

/** The upstream waits a little before its first byte and each next, as models do. */
async function firstToken(deps: MeasureDeps, { lane }: Subject): Promise<Figures> {
  const model = modelOf({ chunks: 4, paceMs: 1, delayMs: 2 });
  const seconds = deps.seconds * FIRST_TOKEN_SECONDS;
  const load = { model, bodyBytes: 2 * KB, connections: 4, seconds };
  const report = await runWhole(deps.load, lane, load);
  return { "ttft p50": report.firstByte?.p50 ?? NaN, "ttft p99": report.firstByte?.p99 ?? NaN };
}

const FRAME_STREAMS = 200;

async function frames(deps: MeasureDeps, { lane }: Subject): Promise<Figures> {
  const held = await holdStreams(deps, lane, { streams: FRAME_STREAMS, paceMs: 20 });
  if (held.loss !== null) throw new Error(held.loss);
  const figures = { "frame p50": held.delayP50, "frame p99": held.delayP99 };
  return lane.pid === null ? figures : { ...figures, "frame cpu": held.cpuUsPerFrame };
}

export type Holding = { readonly streams: number; readonly paceMs: number };

export type Held = {
  /** What was broken, missing or never ended. Null: every frame of every stream arrived. */
  readonly loss: string | null;
  readonly delayP50: number;
  readonly delayP99: number;
  readonly cpuUsPerFrame: number;
};

const STAGGER_SECONDS = 1;
/** For streams that are late to end before they count as not held. */
const LATE_SECONDS = 1;

/** Each stream runs once, from the first frame to the last, all of them together. */
export async function holdStreams(
  { load, seconds }: MeasureDeps,
  lane: RunningLane,
  { streams, paceMs }: Holding,
): Promise<Held> {
  const streamSeconds = Math.max(1, seconds);
  const chunks = Math.ceil((streamSeconds * 1_000) / paceMs);
  const before = usedMs(lane);
  const report = await runLoad(load, lane.target, {
    model: modelOf({ chunks, paceMs }),
    bodyBytes: 2 * KB,
    connections: streams,
    requestsMax: streams,
    staggerSeconds: STAGGER_SECONDS,
    warmSeconds: STAGGER_SECONDS,
    seconds: streamSeconds + LATE_SECONDS,
  });
  const cpuMs = usedMs(lane).own - before.own;
  return {
    loss: lossOf(report, { streams, chunks }),
    delayP50: report.chunkDelay?.p50 ?? NaN,
    delayP99: report.chunkDelay?.p99 ?? NaN,
    cpuUsPerFrame: (cpuMs * 1_000) / report.chunks,
  };
}

export function lossOf(
  report: LoadReport,
  { streams, chunks }: { readonly streams: number; readonly chunks: number },
): string | null {
  const { done, errors, non2xx, openAtEnd } = report;
  if (errors > 0 || non2xx > 0) return `${errors} errors, ${non2xx} answers not 2xx`;
  if (openAtEnd > 0 || done < streams) return `${streams - done} of ${streams} streams were late`;
  const lost = streams * chunks - report.chunks;
  return lost === 0 ? null : `${lost} of ${streams * chunks} frames were lost`;
}

const P99_MS_MAX = 10;
/** Of what the lane can do when nobody waits: the highest of them that keeps the limit counts. */
const FRONTIER_SHARES = [1, 0.9, 0.8, 0.7, 0.55, 0.4, 0.2];
const FRONTIER_CONNECTIONS = 256;
/** Of the asked rate that must be served. */
const SERVED_SHARE_MIN = 0.98;

/** Requests arrive at a fixed rate, whether answers come or not, so waiting counts. */
async function frontier({ load, seconds }: MeasureDeps, { lane }: Subject): Promise<Figures> {
  const runSeconds = Math.max(0.5, seconds / 2);
  const free = await runWhole(load, lane, { ...JSON_2K, connections: 32, seconds: runSeconds });
  for (const share of FRONTIER_SHARES) {
    const ratePerSecond = Math.floor(free.ratePerSecond * share);
    const report = await runLoad(load, lane.target, {
      ...JSON_2K,
      connections: FRONTIER_CONNECTIONS,
      ratePerSecond,
      warmSeconds: 0.2,
      seconds: runSeconds,
    });
    const isServed = report.ratePerSecond >= ratePerSecond * SERVED_SHARE_MIN;
    const isFast = (report.latency?.p99 ?? Infinity) <= P99_MS_MAX * 1_000;
    if (isServed && isFast && report.errors + report.non2xx === 0) {
      return { "frontier rate": report.ratePerSecond };
    }
  }
  return { "frontier rate": 0 };
}

/** What everybody here can serve. Whoever serves fewer requests sleeps more often, and waking costs: only equal rates compare. */
const EQUAL_RATE = 2_000;
/** More than wait at a time. */
const EQUAL_RATE_CONNECTIONS = 128;

const STREAM_100 = { model: modelOf({ chunks: 100 }), bodyBytes: 2 * KB };

/** `body 100 kB` and so on, also in the goals. */
const BODIES: readonly (readonly [name: string, bytes: number])[] = [
  ["body 100 kB", 100 * KB],
  ["body 400 kB", 400 * KB],
  ["body 1 MB", KB * KB],
  ["body 4 MB", 4 * KB * KB],
];

/** In turns, over several rounds. */
export const ROUND_MEASUREMENTS: readonly Measurement[] = [
  { group: "cpu", title: "2 kB request, JSON answer", run: cost("json", JSON_2K) },
  { group: "cpu", title: "stream of 100 chunks at once", run: cost("stream", STREAM_100) },
  ...BODIES.map(([name, bodyBytes]) => ({
    group: "bodies",
    title: name,
    run: cost(name, { model: modelOf({}), bodyBytes }),
  })),
  {
    group: "pace",
    title: `2 kB requests, ${EQUAL_RATE} a second`,
    run: cost("paced json", { ...JSON_2K, ratePerSecond: EQUAL_RATE }, EQUAL_RATE_CONNECTIONS),
  },
  { group: "latency", title: "one request at a time", run: latency },
  { group: "ttft", title: "time to first token", run: firstToken },
  { group: "frames", title: `${FRAME_STREAMS} paced streams`, run: frames },
  { group: "frontier", title: `requests/s with p99 ≤ ${P99_MS_MAX} ms`, run: frontier },
];

/** The same cost before an upstream with TLS. */
export const TLS_MEASUREMENTS: readonly Measurement[] = [
  { group: "tls", title: "TLS, 2 kB request, JSON answer", run: cost("tls json", JSON_2K) },
  { group: "tls", title: "TLS, stream of 100 chunks at once", run: cost("tls stream", STREAM_100) },
];
