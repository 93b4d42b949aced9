/** The flags of `npm run bench -- gateway`. */
import { parseArgs } from "node:util";

export type Flags = {
  readonly lanes: readonly string[];
  readonly groups: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly plateauMinutes: number;
  readonly isDocsWritten: boolean;
  /** Whether figures and tables stay in bench/results. */
  readonly isKept: boolean;
};

/** What `--only` names, in the order of the run. */
export const GROUPS: Readonly<Record<string, string>> = {
  cpu: "CPU per request and per stream at c=8, and the rates that come with it",
  bodies: "the same with bodies of 100 kB, 400 kB, 1 MB and 4 MB",
  pace: "CPU per request at 2,000 requests a second, for lanes that wait for a disk and those that do not",
  latency: "added latency with one request at a time",
  ttft: "added time to the first token",
  frames: "added delay and CPU per frame at 200 streams",
  frontier: "requests/s with p99 ≤ 10 ms, arriving at a fixed rate",
  held: "streams held with 20 ms and 50 ms between frames and none lost",
  memory: "memory of 1,000 held streams",
  start: "cold start to the first answer",
  plateau: "memory over a long run with streams and aborts",
  tls: "CPU per request and per stream before an upstream with TLS and HTTP/2",
};

export type LaneChoice = { readonly id: string; readonly name: string; readonly isUsual: boolean };

export type ParsedFlags =
  | { readonly kind: "run"; readonly flags: Flags }
  /** Help was asked for, or something is wrong. */
  | { readonly kind: "text"; readonly text: string; readonly isMistake: boolean };

export function parseFlags(args: readonly string[], lanes: readonly LaneChoice[]): ParsedFlags {
  try {
    return parse(args, lanes);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { kind: "text", text: `${text}\nSee npm run bench -- gateway --help`, isMistake: true };
  }
}

function parse(args: readonly string[], choices: readonly LaneChoice[]): ParsedFlags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      lanes: { type: "string" },
      only: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      "plateau-minutes": { type: "string" },
      quick: { type: "boolean", default: false },
      "write-docs": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return { kind: "text", text: helpText(choices), isMistake: false };
  const usual = choices.filter(({ isUsual }) => isUsual).map(({ id }) => id);
  const all = choices.map(({ id }) => id);
  const [rounds, seconds, minutes] = values.quick ? [1, 0.5, 0.1] : [5, 2, 0.5];
  return {
    kind: "run",
    flags: {
      lanes: values.lanes === "all" ? all : chosen("--lanes", values.lanes, all, usual),
      groups: chosen("--only", values.only, Object.keys(GROUPS), Object.keys(GROUPS)),
      rounds: positive("--rounds", values.rounds, rounds),
      seconds: positive("--seconds", values.seconds, seconds),
      plateauMinutes: positive("--plateau-minutes", values["plateau-minutes"], minutes),
      isDocsWritten: values["write-docs"],
      isKept: !values.quick,
    },
  };
}

/** Always in the order of the list that they are chosen from. */
function chosen(
  flag: string,
  text: string | undefined,
  known: readonly string[],
  otherwise: readonly string[],
): readonly string[] {
  if (text === undefined) return otherwise;
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${flag}: ${unknown} is none of ${known.join(", ")}`);
  return known.filter((name) => names.includes(name));
}

function positive(flag: string, text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${flag}: ${text} is no number above 0`);
}

function helpText(choices: readonly LaneChoice[]): string {
  const row = (name: string, text: string): string => `    ${name.padEnd(10)} ${text}`;
  return [
    "npm run bench -- gateway [options]",
    "",
    "Measures the gateway beside other ways to the same upstream, taking turns in one run.",
    "",
    "  --lanes a,b            which of these, or `all` (default: those with *)",
    ...choices.map(({ id, name, isUsual }) => row(isUsual ? `${id} *` : id, name)),
    "  --only a,b             which of these (default: all)",
    ...Object.entries(GROUPS).map(([name, text]) => row(name, text)),
    "  --rounds N             turns of each lane (default 5); what takes long has fewer",
    "  --seconds N            of each run (default 2)",
    "  --plateau-minutes N    of the long run (default 0.5; 10 says whether memory is flat)",
    "  --quick                one round of half a second: whether it works, not how fast it is",
    "  --write-docs           also puts the tables into docs/performance.md",
    "",
    "Progress goes to stderr, tables to stdout; both tables and raw figures stay in bench/results/,",
    "except those of a quick run.",
  ].join("\n");
}
