/**
 * What takes its own time or its own process: streams held, memory of a held stream, memory over a
 * long run, and the start.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { slopeOf } from "../figures.ts";
import { treeMemoryKb } from "../process-tree.ts";
import type { LaneKind, RestartWay, RunningLane } from "./lane.ts";
import { runLoad, type Load } from "./load-driver.ts";
import { holdStreams, type Figures, type MeasureDeps, type Measurement } from "./measurements.ts";
import { modelOf } from "./mock-answer.ts";
import { startServing, untilServing } from "./serving-lane.ts";

const KB = 1_024;

/** Of paced streams, for each pace. */
const HELD_STEPS: readonly (readonly [paceMs: number, steps: readonly number[]])[] = [
  [20, [64, 128, 256, 512, 1_024, 2_048]],
  [50, [500, 1_000, 2_000]],
];
/** One look may fall into a noisy moment. */
const HELD_TRIES = 2;

/** The highest step that is held, beginning in the middle. */
export async function highestHeld(
  steps: readonly number[],
  holds: (step: number) => Promise<boolean>,
): Promise<number> {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await holds(steps[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : (steps[low - 1] ?? 0);
}

/** Held: no frame is lost, every stream ends in time, and frames do not queue up on the way. */
function held(paceMs: number, steps: readonly number[]): Measurement {
  const name = `held ${paceMs} ms`;
  return {
    group: "held",
    title: `streams held at ${paceMs} ms`,
    run: async (deps, { lane }) => {
      let cpuUsPerFrame = Number.NaN;
      const streams = await highestHeld(steps, async (step) => {
        for (let tried = 0; tried < HELD_TRIES; tried += 1) {
          const seen = await holdStreams(deps, lane, { streams: step, paceMs });
          if (seen.loss !== null || seen.delayP50 > paceMs * 1_000) continue;
          ({ cpuUsPerFrame } = seen);
          return true;
        }
        return false;
      });
      return lane.pid === null
        ? { [name]: streams }
        : { [name]: streams, [`${name} cpu`]: cpuUsPerFrame };
    },
  };
}

const MEMORY_STREAMS = 1_000;
const MEMORY_WARM_SECONDS = 1;
/** A held stream's memory is looked at when all of them are open. */
const MEMORY_LOOK_MS = 4_000;
/** Slow enough for every lane to hold all of them: this is not about speed. */
const MEMORY_STREAM = { chunks: 24, paceMs: 250 };

/** In a process of its own: one that has worked before has room left and grows by nothing. */
async function memory(deps: MeasureDeps, { kind }: { readonly kind: LaneKind }): Promise<Figures> {
  await using lane = await startServing(kind, deps.laneDeps, deps.load.signal);
  if (lane.pid === null) return {};
  const warm = { bodyBytes: 2 * KB, connections: 8, seconds: MEMORY_WARM_SECONDS };
  await runLoad(deps.load, lane.target, { ...warm, model: modelOf({ chunks: 20 }) });
  const before = treeMemoryKb(lane.pid);
  const run = runLoad(deps.load, lane.target, {
    model: modelOf(MEMORY_STREAM),
    bodyBytes: 2 * KB,
    connections: MEMORY_STREAMS,
    requestsMax: MEMORY_STREAMS,
    staggerSeconds: 1,
    seconds: 10,
  });
  await Promise.race([run, sleep(MEMORY_LOOK_MS)]);
  const during = treeMemoryKb(lane.pid);
  const report = await run;
  if (report.done < MEMORY_STREAMS || report.non2xx > 0) {
    throw new Error(`${report.done} of ${MEMORY_STREAMS} streams ended well`);
  }
  return {
    "memory idle": before.own / KB,
    "memory per stream": (during.own - before.own) / MEMORY_STREAMS,
  };
}

/** Requests per second of each half of a plateau. */
const PLATEAU_RATE = 150;
const PLATEAU_ABORT_PERCENT = 5;
const PLATEAU_LOOK_MS = 1_000;
/** Of the run, while caches and the heap find their size. */
const PLATEAU_WARM_SHARE = 0.3;
/** In less, the heap's own rise and fall looks like growth. */
const GROWTH_MINUTES_MIN = 3;

/** Half streams, half JSON answers, one in twenty given up by the client; memory once a second. */
async function plateau(
  { load, laneDeps, plateauMinutes }: MeasureDeps,
  { kind }: { readonly kind: LaneKind },
): Promise<Figures> {
  await using lane = await startServing(kind, laneDeps, load.signal);
  if (lane.pid === null) return {};
  const common: Omit<Load, "model"> = {
    bodyBytes: 2 * KB,
    connections: 64,
    seconds: plateauMinutes * 60,
    ratePerSecond: PLATEAU_RATE,
    abortPercent: PLATEAU_ABORT_PERCENT,
  };
  let isOver = false;
  const runs = Promise.all([
    runLoad(load, lane.target, { ...common, model: modelOf({ delayMs: 20 }) }),
    runLoad(load, lane.target, { ...common, model: modelOf({ chunks: 20, paceMs: 5 }) }),
  ]).finally(() => {
    isOver = true;
  });
  const startedMs = performance.now();
  const seen: (readonly [minutes: number, kb: number])[] = [];
  const look = async (pid: number): Promise<void> => {
    while (!isOver) {
      await sleep(PLATEAU_LOOK_MS);
      seen.push([(performance.now() - startedMs) / 60_000, treeMemoryKb(pid).own]);
    }
  };
  const [reports] = await Promise.all([runs, look(lane.pid)]);
  for (const { errors, non2xx } of reports) {
    if (errors + non2xx > 0) throw new Error(`${errors} errors, ${non2xx} answers not 2xx`);
  }
  return plateauFigures(seen);
}

export function plateauFigures(seen: readonly (readonly [minutes: number, kb: number])[]): Figures {
  const settled = seen.slice(Math.floor(seen.length * PLATEAU_WARM_SHARE));
  const sizes = settled.map(([, kb]) => kb / KB);
  const range = { "plateau high": Math.max(...sizes), "plateau low": Math.min(...sizes) };
  const minutes = (settled.at(-1)?.[0] ?? 0) - (settled[0]?.[0] ?? 0);
  return minutes < GROWTH_MINUTES_MIN
    ? range
    : { ...range, "plateau growth": slopeOf(settled) / KB };
}

/** From the start of the process to the first answer. */
async function coldStart(
  { laneDeps, load: { signal } }: MeasureDeps,
  { kind }: { readonly kind: LaneKind },
): Promise<Figures> {
  if (kind.id === "direct") return {};
  if (kind.prepareRestart === undefined) {
    return { start: await timeToServe(() => kind.start(laneDeps), signal) };
  }
  const figures: Record<string, number> = {};
  const ways: readonly (readonly [RestartWay, string])[] = [
    ["running database", "start"],
    ["own database", "start with its database"],
  ];
  for (const [way, name] of ways) {
    await using restart = await kind.prepareRestart(laneDeps, way);
    figures[name] = await timeToServe(() => restart.start(), signal);
  }
  return figures;
}

async function timeToServe(
  start: () => Promise<RunningLane>,
  signal: AbortSignal,
): Promise<number> {
  const startedMs = performance.now();
  await using lane = await start();
  await untilServing(lane, signal);
  return performance.now() - startedMs;
}

/** Over fewer rounds: each takes long. */
export const LONG_MEASUREMENTS: readonly Measurement[] = HELD_STEPS.map(([pace, steps]) =>
  held(pace, steps),
);

/** Of lanes that the measurement starts for itself. */
export const OWN_PROCESS_MEASUREMENTS: readonly Measurement[] = [
  { group: "memory", title: `memory of ${MEMORY_STREAMS} held streams`, run: memory },
  { group: "start", title: "cold start", run: coldStart },
];

export const PLATEAU: Measurement = {
  group: "plateau",
  title: "memory over a long run",
  run: plateau,
};
