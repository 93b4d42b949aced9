/**
 * `npm run simulate -- workspace-kills [--runs N] [--seed N] [--lanes N]`: agents, servers and connections that
 * are killed at random moments while somebody works in the workspace. Prints a table, and fails where
 * anything was done twice, lost, garbled, or left without an answer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { inLanes, quantileMs } from "./in-lanes.ts";
import { KillsWork, type WorkCounts } from "./kills-work.ts";
import { KillsWorld, STRIKES, type StrikeKind } from "./kills-world.ts";

export type KillsFigures = {
  /** How long until every kind of work went on. */
  readonly recoveredMs: ReadonlyMap<StrikeKind, readonly number[]>;
  readonly counts: Readonly<Record<string, WorkCounts>>;
  readonly violations: readonly string[];
};

const RUNS_DEFAULT = 1_000;
const LANES_DEFAULT = 4;
const REPORT_EVERY = 25;
/** Between the moment all is well and the next kill. */
const PEACE_MS_MAX = 300;
/** One kill in so many comes while another is not recovered from yet. */
const OVERLAP_ONCE_IN = 4;
const OVERLAP_MS_MAX = 1_500;

export async function runWorkspaceKills(argv: readonly string[]): Promise<number> {
  let done = 0;
  const defaults = { runs: RUNS_DEFAULT, lanes: LANES_DEFAULT };
  const { options, ends: figures } = await inLanes(
    argv,
    defaults,
    async ({ seed, runs, lanes, seconds, signal }, { index, database }) => {
      const kills = Math.floor(runs / lanes) + (index < runs % lanes ? 1 : 0);
      const report = {
        onKill: (): void => {
          done += 1;
          if (done % REPORT_EVERY === 0) console.log(`${done} kills (${seconds()} s)`);
        },
        onViolation: (text: string): void => {
          console.error(`VIOLATED after ${done} kills (${seconds()} s): ${text}`);
        },
      };
      return simulateKills(database.url, { kills, seed: seed + index, report, signal });
    },
  );
  const { seed, seconds, lanes } = options;
  console.log(killsTable(figures, `seed ${seed}, ${seconds()} s, ${lanes} lanes, ${done} kills`));
  return figures.every(({ violations }) => violations.length === 0) ? 0 : 1;
}

export type KillsOptions = {
  readonly kills: number;
  readonly seed: number;
  readonly report: { onKill(kind: StrikeKind): void; onViolation(text: string): void };
  /** Ends it early, with what was found until then. */
  readonly signal: AbortSignal;
};

/** The database is migrated, and empty. */
export async function simulateKills(
  postgresUrl: string,
  { kills, seed, report, signal }: KillsOptions,
): Promise<KillsFigures> {
  await using resources = new AsyncDisposableStack();
  const world = await KillsWorld.start(postgresUrl, resources);
  const draws = new SeededDraws(seed);
  const stop = new AbortController();
  const work = new KillsWork(world, stop.signal, (text) => report.onViolation(text));
  const working = work.run();
  const recoveredMs = new Map<StrikeKind, number[]>();
  const bag = STRIKES.flatMap(({ kind, weight }) => Array<StrikeKind>(weight).fill(kind));
  try {
    for (let kill = 0; kill < kills && !signal.aborted; kill += 1) {
      await sleep(draws.below(PEACE_MS_MAX));
      const kind = draws.pick(bag);
      const struckMs = performance.now();
      world.strike(kind, (times) => draws.once(times));
      report.onKill(kind);
      if (draws.once(OVERLAP_ONCE_IN) && kill < kills - 1) {
        await sleep(draws.below(OVERLAP_MS_MAX));
        continue;
      }
      await work.progress();
      recoveredMs.set(kind, [...(recoveredMs.get(kind) ?? []), performance.now() - struckMs]);
    }
  } catch (error) {
    report.onViolation(String(error));
    work.violations.push(String(error));
  } finally {
    stop.abort();
  }
  await working;
  return { recoveredMs, counts: work.counts, violations: work.violations };
}

function killsTable(figures: readonly KillsFigures[], title: string): string {
  const rows = STRIKES.map(({ kind }) => {
    const all = figures.flatMap((each) => [...(each.recoveredMs.get(kind) ?? [])]);
    const [half, most, longest] = [0.5, 0.95, 1].map((share) => quantileMs(all, share));
    return `| ${kind} | ${all.length} | ${half} | ${most} | ${longest} |`;
  });
  const work = Object.keys(figures[0]?.counts ?? {}).map((name) => {
    const sum = (pick: keyof WorkCounts): number =>
      figures.reduce((total, { counts }) => total + (counts[name]?.[pick] ?? 0), 0);
    return `| ${name} | ${sum("done")} | ${sum("repeated")} |`;
  });
  const violations = figures.reduce((total, each) => total + each.violations.length, 0);
  return [
    `${title}, ${violations} violations`,
    "",
    "| killed, and recovered from before the next | times | p50 ms | p95 ms | most ms |",
    "| --- | --: | --: | --: | --: |",
    ...rows,
    "",
    "| work | done | attempts that broke |",
    "| --- | --: | --: |",
    ...work,
  ].join("\n");
}
