/**
 * `npm run simulate -- [--seed N] [--runs N] [--requests N] [name…]`: long random tests of what must
 * hold for any input. Runs `simulate()` of every `*.simulation.ts` in libs and systems whose path contains
 * one of the names, or of all. Those in `test/simulation` load a real server for minutes, and run only
 * where they are named; `--requests` is for them. A failure prints the seed that repeats it. Whatever ends it,
 * directories and programs that it has made are gone soon after.
 *
 * `npm run simulate -- <name> [options]` runs one of WITH_OPTIONS: real servers under random trouble.
 */
import { randomInt } from "node:crypto";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { keepTogether } from "../test/simulation/own-leftovers.ts";
import { listFiles, ROOT } from "./source-files.ts";

/** Simulations of whole servers that have options of their own: each is run by its name alone. */
const WITH_OPTIONS: Readonly<Record<string, WithOptions>> = {
  "gateway-outage": {
    options: "[--seconds N] [--workers N] [--pause-ms N]",
    run: async (argv) => (await import("../test/journeys/gateway-outage.ts")).simulateOutage(argv),
  },
  "workspace-copy": {
    options: "[--megabytes N]",
    run: async (argv) =>
      (await import("../test/simulation/workspace-copy.ts")).runWorkspaceCopy(argv),
  },
  "gateway-reloads": {
    options: "[--reloads N] [--seed N] [--workers N]",
    run: async (argv) =>
      (await import("../test/simulation/gateway-reloads.ts")).runGatewayReloads(argv),
  },
  "workspace-kills": {
    options: "[--runs N] [--seed N] [--lanes N] [--only text]",
    run: async (argv) =>
      (await import("../test/simulation/workspace-kills.ts")).runWorkspaceKills(argv),
  },
  "chat-kills": {
    options: '[--runs N] [--seed N] [--lanes N] [--only "text|text"]',
    run: async (argv) => (await import("../test/simulation/chat-kills.ts")).runChatKills(argv),
  },
};

type WithOptions = {
  readonly options: string;
  readonly run: (argv: readonly string[]) => Promise<number>;
};

/** What a simulation file exports. */
type Simulation = {
  readonly title: string;
  readonly simulate: (options: SimulationOptions) => Promise<void>;
  /** Of one whose runs are dear: what takes some seconds. */
  readonly runsDefault?: number;
};

type SimulationOptions = {
  readonly seed: number;
  readonly runs: number;
  /** Null: the simulation's own default. */
  readonly requests: number | null;
  readonly report: (line: string) => void;
};

const IN_MEMORY = "{libs,systems}/*/src/**/*.simulation.ts";
const WITH_SERVERS = "test/simulation/*.simulation.ts";
const RUNS_VARIABLE = "ATELIER_SIMULATE_RUNS";
/** Some seconds each. */
const RUNS_DEFAULT = 100_000;
const SEED_MAX = 2 ** 31;

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: {
      ...{ seed: { type: "string" }, runs: { type: "string" }, requests: { type: "string" } },
      help: { type: "boolean" },
    },
    allowPositionals: true,
  });
  if (values.help === true) {
    console.log(usage());
    return 0;
  }
  const seed = readCount("--seed", values.seed) ?? randomInt(SEED_MAX);
  const runsAsked = readCount("--runs", values.runs);
  const runsUsual = readCount(RUNS_VARIABLE, process.env[RUNS_VARIABLE]) ?? RUNS_DEFAULT;
  const requests = readCount("--requests", values.requests);
  const files =
    positionals.length === 0
      ? listFiles(ROOT, [IN_MEMORY])
      : listFiles(ROOT, [IN_MEMORY, WITH_SERVERS]).filter((file) =>
          positionals.some((name) => file.includes(name)),
        );
  if (files.length === 0) throw new Error("no simulation has such a name");
  let failed = 0;
  for (const file of files) {
    // The glob found it; the reachability check and its first call show that it exports these.
    const simulation = (await import(join(ROOT, file))) as Simulation;
    const share = (simulation.runsDefault ?? RUNS_DEFAULT) / RUNS_DEFAULT;
    const runs = runsAsked ?? Math.ceil(runsUsual * share);
    failed += (await run(file, simulation, { seed, runs, requests })) ? 0 : 1;
  }
  console.log(`${files.length - failed} passed, ${failed} failed (seed ${seed})`);
  return failed === 0 ? 0 : 1;
}

function usage(): string {
  const names = (globs: readonly string[]): string =>
    listFiles(ROOT, globs)
      .map((file) => `  ${basename(file, ".simulation.ts")}`)
      .join("\n");
  return `npm run simulate -- [name…] [--seed N] [--runs N]

Without a name, all of these:
${names([IN_MEMORY])}
By name alone, with a real server (also --requests N):
${names([WITH_SERVERS])}
By name, with options of its own:
${Object.entries(WITH_OPTIONS)
  .map(([name, { options }]) => `  ${name} ${options}`)
  .join("\n")}`;
}

async function run(
  file: string,
  { title, simulate }: Simulation,
  options: Omit<SimulationOptions, "report">,
): Promise<boolean> {
  const startedMs = performance.now();
  const seconds = (): string => ((performance.now() - startedMs) / 1_000).toFixed(1);
  try {
    await simulate({
      ...options,
      report: (line) => console.log(`        ${line} (${seconds()} s)`),
    });
    console.log(`ok      ${title}, ${options.runs} runs (${seconds()} s)`);
    return true;
  } catch (error) {
    console.error(`FAILED  ${title} (${seconds()} s)`, error);
    const { seed, runs, requests } = options;
    const more = requests === null ? "" : ` --requests ${requests}`;
    const command = `npm run simulate -- --seed ${seed} --runs ${runs}${more} ${file}`;
    console.error(`        repeat it: ${command}`);
    return false;
  }
}

function readCount(name: string, text: string | undefined): number | null {
  if (text === undefined || text === "") return null;
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`${name} is a whole number`);
  return count;
}

const [name = "", ...options] = process.argv.slice(2);
const isOfServers = Object.hasOwn(WITH_OPTIONS, name) && !options.includes("--help");
const withServers = isOfServers ? WITH_OPTIONS[name] : undefined;
const own = keepTogether();
const code = await (withServers?.run(options) ?? main(process.argv.slice(2)));
await own[Symbol.asyncDispose]();
// Ended by hand: Node can spin for ever when it cleans up after servers and sockets that it had by itself.
process.exit(code);
