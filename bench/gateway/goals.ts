/** The goals of the gateway's speed, relative to other lanes of the same run, and their verdicts. */
import { figureOf, isWithinNoise, type Figure } from "../figures.ts";
import { addedTo, figureIn, ratioTo, type Samples } from "./samples.ts";

export type Goal = {
  readonly text: string;
  readonly lane: string;
  readonly figure: string;
  /** Of `figure`, of its ratio to a lane, or of what it has more than with nothing in between. */
  readonly of: { readonly ratioTo: string } | "added" | "itself";
  readonly limit: number;
  /** For rates and streams held: more is better. */
  readonly isFloor?: boolean;
  /** Wanted, not promised. */
  readonly isStretch?: boolean;
};

const COSTS = [
  ["json cpu", "request"],
  ["stream cpu", "stream"],
] as const;

const LANES = [
  ["l0", "L0"],
  ["l1", "L1"],
] as const;

export const GOALS: readonly Goal[] = [
  ...COSTS.flatMap(([figure, what]): Goal[] => [
    ratio(`L0 CPU per ${what}, of the bare proxy`, figure, "bare", 0.5),
    ratio(`L0 CPU per ${what}, of Go's ReverseProxy`, figure, "go", 1),
    ratio(`L0 CPU per ${what}, of Portkey`, figure, "portkey", 0.05),
    { ...ratio(`L0 CPU per ${what}, of nginx`, figure, "nginx", 2.5), isStretch: true },
    { ...ratio(`L1 CPU per ${what}, of the bare proxy`, figure, "bare", 1), lane: "l1" },
  ]),
  ratio("L0 CPU at 100 kB, of the bare proxy", "body 100 kB cpu", "bare", 1),
  ratio("L0 CPU at 1 MB, of the bare proxy", "body 1 MB cpu", "bare", 1),
  ...LANES.flatMap(([lane, name]): Goal[] => [
    { ...added(`${name} added p99 at c=1, µs`, "latency p99", 400), lane },
    { ...added(`${name} added TTFT p99, µs`, "ttft p99", 600), lane },
    { ...added(`${name} added p99 per frame, µs`, "frame p99", 50), lane },
    { ...floor(`${name} streams held at 50 ms`, "held 50 ms", 1_000), lane },
    { ...floor(`${name} streams held at 50 ms`, "held 50 ms", 2_000), lane, isStretch: true },
    { ...itself(`${name} kB per held stream`, "memory per stream", 60), lane },
    // A guess at what counts as flat over ten minutes.
    { ...itself(`${name} growth over the plateau, MB/min`, "plateau growth", 0.5), lane },
  ]),
  { ...itself("L1 cold start, database running, ms", "start", 1_000), lane: "l1" },
];

function ratio(text: string, figure: string, to: string, limit: number): Goal {
  return { text, lane: "l0", figure, of: { ratioTo: to }, limit };
}

function added(text: string, figure: string, limit: number): Goal {
  return { text, lane: "l0", figure, of: "added", limit };
}

function itself(text: string, figure: string, limit: number): Goal {
  return { text, lane: "l0", figure, of: "itself", limit };
}

function floor(text: string, figure: string, limit: number): Goal {
  return { ...itself(text, figure, limit), isFloor: true };
}

export type Verdict = "met" | "missed" | "too close to tell" | "not measured";

export type Judged = {
  readonly goal: Goal;
  readonly seen: Figure | null;
  readonly verdict: Verdict;
};

export function judge(goal: Goal, samples: Samples): Judged {
  const seen = seenOf(goal, samples);
  if (seen === null) return { goal, seen, verdict: "not measured" };
  if (isWithinNoise(seen, goal.limit) === true && seen.deviation > 0) {
    return { goal, seen, verdict: "too close to tell" };
  }
  const isMet = goal.isFloor === true ? seen.median >= goal.limit : seen.median <= goal.limit;
  return { goal, seen, verdict: isMet ? "met" : "missed" };
}

function seenOf({ of, lane, figure }: Goal, samples: Samples): Figure | null {
  if (of === "itself") return figureIn(samples, lane, figure);
  return figureOf(
    of === "added" ? addedTo(samples, lane, figure) : ratioTo(samples, lane, of.ratioTo, figure),
  );
}

/** `≤ 0.5`, `≥ 2000 (stretch)`. */
export function limitText({ limit, isFloor, isStretch }: Goal): string {
  const text = `${isFloor === true ? "≥" : "≤"} ${limit}`;
  return isStretch === true ? `${text} (stretch)` : text;
}
