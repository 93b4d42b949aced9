/**
 * The gateway beside other ways to the same upstream, taking turns in one run: nothing in between, a
 * bare `node:http` proxy, nginx, Go's reverse proxy, Portkey and others.
 *
 * Ratios and differences are between lanes of the same round, because absolute figures depend on
 * the machine and the moment. Whatever was started is ended, also when the run is interrupted.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startTlsUpstream, startUpstream } from "./gateway/bench-upstream.ts";
import { parseFlags, type Flags } from "./gateway/flags.ts";
import { RAW_SCAN, RECORDED } from "./gateway/floor-lanes.ts";
import { LaneMissing, type LaneDeps, type LaneKind } from "./gateway/lane.ts";
import { buildLoadTools, runLoad, type LoadTools } from "./gateway/load-driver.ts";
import {
  LONG_MEASUREMENTS,
  OWN_PROCESS_MEASUREMENTS,
  PLATEAU,
} from "./gateway/long-measurements.ts";
import {
  choosePlacement,
  describeMachine,
  findDisturbance,
  type Placement,
} from "./gateway/machine.ts";
import {
  ROUND_MEASUREMENTS,
  TLS_MEASUREMENTS,
  type MeasureDeps,
  type Measurement,
  type Subject,
} from "./gateway/measurements.ts";
import { modelOf } from "./gateway/mock-answer.ts";
import {
  BARE,
  DIRECT,
  L0,
  L0_HTTP2,
  L0_WAITING,
  L0_WORKERS,
  L1,
  L1_WORKERS,
  RAW,
} from "./gateway/our-lanes.ts";
import { GO, LITELLM_LANE, NGINX, PORTKEY_LANE } from "./gateway/peer-lanes.ts";
import { writeIntoDocument } from "./gateway/performance-page.ts";
import { toMarkdown, type Report } from "./gateway/report.ts";
import { addSample, toPlain, type Samples } from "./gateway/samples.ts";
import { startServing } from "./gateway/serving-lane.ts";

const LANES: readonly LaneKind[] = [
  ...[DIRECT, BARE, RAW, RAW_SCAN, ...RECORDED, NGINX, GO],
  ...[L0, L0_HTTP2, L0_WAITING, L0_WORKERS, L1, L1_WORKERS],
  ...[PORTKEY_LANE, LITELLM_LANE],
];
const ROOT = join(import.meta.dirname, "..");
const RESULTS = join(import.meta.dirname, "results");
const INSTALLED = join(ROOT, ".runtime/bench");
const KEY = "sk-central-0123456789abcdef";
const WARM_SECONDS = 1;
/** Until then the code of a lane is compiled again and again. A slow one is let off after some time. */
const WARM_REQUESTS = 15_000;
const WARM_SECONDS_MAX = 15;
/** These take long, and vary less. */
const LONG_ROUNDS_MAX = 2;
const OWN_PROCESS_ROUNDS_MAX = 3;
/** Of these, memory over a long run is looked at: the others are no yardstick for it. */
const PLATEAU_LANES = new Set(["bare", "l0", "l1"]);

/** What all parts of a run share. */
type Run = {
  readonly flags: Flags;
  readonly placement: Placement;
  readonly tools: LoadTools;
  readonly signal: AbortSignal;
  readonly samples: Samples;
  readonly failures: string[];
  readonly say: (text: string) => void;
};

export async function runGatewayBench(args: readonly string[]): Promise<void> {
  const parsed = parseFlags(args, LANES);
  if (parsed.kind === "text") {
    console.log(parsed.text);
    if (parsed.isMistake) process.exitCode = 2;
    return;
  }
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort(new Error("interrupted"));
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    const command = ["npm run bench -- gateway", ...args].join(" ");
    save(await measureAll(parsed.flags, command, interrupt.signal), parsed.flags);
    if (interrupt.signal.aborted) process.exitCode = 130;
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

async function measureAll(flags: Flags, command: string, signal: AbortSignal): Promise<Report> {
  const date = new Date().toISOString().slice(0, 10);
  const disturbance = await findDisturbance();
  if (disturbance !== null) console.error(disturbance);
  const placement = choosePlacement();
  mkdirSync(INSTALLED, { recursive: true });
  const tools = buildLoadTools(join(INSTALLED, "load-tools"), KEY);
  const startedMs = performance.now();
  const say = (text: string): void => {
    console.error(`${((performance.now() - startedMs) / 1_000).toFixed(0).padStart(5)} s  ${text}`);
  };
  const samples: Samples = new Map();
  const run: Run = { flags, placement, tools, signal, samples, failures: [], say };
  const found = await findLanes(run);
  const kinds = found.lanes.map(({ kind }) => kind);
  try {
    await measurePlain(run, kinds);
    if (flags.groups.includes("tls")) await measureTls(run, kinds);
  } catch (error) {
    // What was measured until then still counts, and everything that was started has ended.
    if (!signal.aborted) throw error;
    run.failures.push("interrupted: the rest was not measured");
  }
  return {
    ...{ command, date, samples, failures: run.failures, missing: found.missing },
    machine: describeMachine(placement),
    caveats: [disturbance, tools.caveat, tlsCaveat(flags)].filter((each) => each !== null),
    lanes: found.lanes.map(({ kind, version }) => ({ id: kind.id, name: kind.name, version })),
  };
}

function tlsCaveat({ groups }: Flags): string | null {
  return groups.includes("tls")
    ? "The upstream with TLS runs on Node and costs more than most of what is measured: it bounds " +
        "the rates before it, not the CPU per request. It offers HTTP/2 and HTTP/1.1; Go and " +
        "L0 over HTTP/2 take HTTP/2, the others HTTP/1.1."
    : null;
}

type FoundLanes = {
  readonly lanes: readonly { readonly kind: LaneKind; readonly version: string }[];
  readonly missing: readonly string[];
};

async function findLanes({ flags, say }: Run): Promise<FoundLanes> {
  const lanes: { kind: LaneKind; version: string }[] = [];
  const missing: string[] = [];
  for (const kind of LANES.filter(({ id }) => flags.lanes.includes(id))) {
    try {
      lanes.push({ kind, version: await kind.prepare(INSTALLED) });
    } catch (error) {
      if (!(error instanceof LaneMissing)) throw error;
      missing.push(`${kind.name} (${error.message})`);
      say(`without ${kind.name}: ${error.message}`);
    }
  }
  return { lanes, missing };
}

/** Everything before an upstream without TLS. */
async function measurePlain(run: Run, kinds: readonly LaneKind[]): Promise<void> {
  await using upstream = await startUpstream(run.tools, run.placement, KEY);
  const deps = measureDeps(run, { upstream, placement: run.placement, directory: INSTALLED });
  const rounds = chosen(run, ROUND_MEASUREMENTS);
  const long = chosen(run, LONG_MEASUREMENTS);
  if (rounds.length + long.length > 0) {
    await using lanes = await startLanes(run, deps, kinds);
    await takeTurns(run, deps, { subjects: lanes.subjects, measurements: rounds, rounds: run.flags.rounds }); // prettier-ignore
    await takeTurns(run, deps, {
      subjects: lanes.subjects,
      measurements: long,
      rounds: Math.min(run.flags.rounds, LONG_ROUNDS_MAX),
    });
  }
  // These start processes of their own: none of the others stands by.
  const idle = kinds.map((kind) => ({ kind, lane: NOBODY }));
  await takeTurns(run, deps, {
    subjects: idle,
    measurements: chosen(run, OWN_PROCESS_MEASUREMENTS),
    rounds: Math.min(run.flags.rounds, OWN_PROCESS_ROUNDS_MAX),
  });
  await takeTurns(run, deps, {
    subjects: idle.filter(({ kind }) => PLATEAU_LANES.has(kind.id)),
    measurements: chosen(run, [PLATEAU]),
    rounds: 1,
  });
}

/** For measurements that start lanes for themselves. */
const NOBODY: Subject["lane"] = {
  target: { port: 0, path: "", token: "", headers: [] },
  pid: null,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

async function measureTls(run: Run, kinds: readonly LaneKind[]): Promise<void> {
  await using upstream = await startTlsUpstream(run.placement, KEY);
  if (upstream === null) {
    run.failures.push("TLS: openssl, which makes the certificate, is not on PATH");
    return;
  }
  const deps = measureDeps(run, { upstream, placement: run.placement, directory: INSTALLED });
  const speaking = kinds.filter(({ speaksTls }) => speaksTls);
  await using lanes = await startLanes(run, deps, speaking);
  await takeTurns(run, deps, {
    subjects: lanes.subjects,
    measurements: TLS_MEASUREMENTS,
    rounds: run.flags.rounds,
  });
}

function chosen({ flags }: Run, measurements: readonly Measurement[]): readonly Measurement[] {
  return measurements.filter(({ group }) => flags.groups.includes(group));
}

function measureDeps({ flags, tools, placement, signal }: Run, laneDeps: LaneDeps): MeasureDeps {
  const load = { command: tools.load, processors: placement?.others ?? null, signal };
  const { seconds, plateauMinutes } = flags;
  return { load, laneDeps, seconds, plateauMinutes };
}

type RunningLanes = AsyncDisposable & { readonly subjects: readonly Subject[] };

/** One that does not start is left out. */
async function startLanes(
  run: Run,
  deps: MeasureDeps,
  kinds: readonly LaneKind[],
): Promise<RunningLanes> {
  await using started = new AsyncDisposableStack();
  const subjects: Subject[] = [];
  for (const kind of kinds) {
    run.signal.throwIfAborted();
    run.say(`starting ${kind.name}`);
    try {
      const lane = started.use(await startServing(kind, deps.laneDeps, run.signal));
      await warmUp(deps, lane);
      subjects.push({ kind, lane });
    } catch (error) {
      fail(run, `${kind.name} did not start`, error);
    }
  }
  const resources = started.move();
  return { subjects, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** So that its code is compiled when the first round begins, also of those that wait for a disk. */
async function warmUp({ load, seconds }: MeasureDeps, { target }: Subject["lane"]): Promise<void> {
  const runSeconds = Math.min(seconds, WARM_SECONDS);
  const common = { bodyBytes: 2_048, connections: 32, seconds: runSeconds };
  const untilMs = performance.now() + WARM_SECONDS_MAX * 1_000;
  const requests = runSeconds < WARM_SECONDS ? 0 : WARM_REQUESTS;
  let done = 0;
  do {
    for (const model of [modelOf({}), modelOf({ chunks: 100 })]) {
      done += (await runLoad(load, target, { ...common, model })).done;
    }
  } while (done < requests && performance.now() < untilMs);
}

type Turns = {
  readonly subjects: readonly Subject[];
  readonly measurements: readonly Measurement[];
  readonly rounds: number;
};

/** Each measurement on all lanes before the next, so that a noisy moment hits all alike. */
async function takeTurns(
  run: Run,
  deps: MeasureDeps,
  { subjects, measurements, rounds }: Turns,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (const { title, run: measure } of measurements) {
      for (const subject of inOrderOf(subjects, round)) {
        run.signal.throwIfAborted();
        run.say(`round ${round + 1} of ${rounds}: ${title}: ${subject.kind.name}`);
        try {
          const figures = await measure(deps, subject);
          for (const [figure, value] of Object.entries(figures)) {
            addSample(run.samples, { figure, lane: subject.kind.id, round, value });
          }
        } catch (error) {
          fail(run, `${title}: ${subject.kind.name}, round ${round + 1}`, error);
        }
      }
    }
  }
}

/** Another one begins in each round, and every second round goes backwards. */
function inOrderOf(subjects: readonly Subject[], round: number): readonly Subject[] {
  const first = subjects.length === 0 ? 0 : round % subjects.length;
  const turned = [...subjects.slice(first), ...subjects.slice(0, first)];
  return round % 2 === 0 ? turned : turned.toReversed();
}

/** A lane that fails at one thing is still measured at the others. */
function fail({ failures, say, signal }: Run, what: string, error: unknown): void {
  if (signal.aborted) throw signal.reason;
  const message = error instanceof Error ? error.message : String(error);
  const lines = message.trim().split("\n");
  // What happened, and a program's last words.
  const reason = lines.length === 1 ? message : `${lines[0]} … ${lines.at(-1)}`;
  failures.push(`${what}: ${reason}`);
  say(`FAILED ${what}: ${reason}`);
}

function save(report: Report, { isDocsWritten, isKept }: Flags): void {
  const markdown = toMarkdown(report);
  console.log(markdown);
  if (isDocsWritten) writeIntoDocument(ROOT, markdown);
  if (!isKept || report.samples.size === 0) return;
  mkdirSync(RESULTS, { recursive: true });
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const file = join(RESULTS, `gateway-${stamp}`);
  const raw = { ...report, samples: toPlain(report.samples) };
  writeFileSync(`${file}.json`, `${JSON.stringify(raw, null, 2)}\n`);
  writeFileSync(`${file}.md`, `${markdown}\n`);
  console.error(`raw figures in ${file}.json, tables in ${file}.md`);
}
