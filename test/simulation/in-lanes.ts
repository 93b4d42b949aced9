/**
 * The frame of simulations that strike real programs: the words of their command, one Postgres for all,
 * and several worlds beside each other, each with a database of its own.
 */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startPostgresServer, TEST_POSTGRES_VARIABLE } from "@atelier/testkit/postgres-server";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";

export type LaneOptions = {
  readonly seed: number;
  readonly runs: number;
  readonly lanes: number;
  /** Parts of names, with `|` between them; empty: all. */
  readonly only: string;
  /** Since the command began. */
  readonly seconds: () => string;
  /** Somebody ends it (Ctrl-C, SIGTERM): what is under way has some seconds for its end. */
  readonly signal: AbortSignal;
};

type Lane<End> = (
  options: LaneOptions,
  lane: { readonly index: number; readonly database: TestDatabase },
) => Promise<End>;

const SEED_MAX = 2 ** 31;
/** Supervisors kill ten seconds after they have asked. */
const GRACE_MS = 5_000;

/**
 * `[--runs N] [--seed N] [--lanes N] [--only text]`. What the lanes found that came to their end. Whoever calls
 * it ends the process then: of those that were interrupted some may still be at it.
 */
export async function inLanes<End>(
  argv: readonly string[],
  defaults: Pick<LaneOptions, "runs" | "lanes">,
  lane: Lane<End>,
): Promise<{ readonly options: LaneOptions; readonly ends: readonly End[] }> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: { runs: text, seed: text, lanes: text, only: text },
  });
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupt.abort());
  const startedMs = performance.now();
  const options = {
    seed: Number(values.seed ?? randomInt(SEED_MAX)),
    runs: Number(values.runs ?? defaults.runs),
    lanes: Number(values.lanes ?? defaults.lanes),
    only: values.only ?? "",
    seconds: () => ((performance.now() - startedMs) / 1_000).toFixed(0),
    signal: interrupt.signal,
  };
  console.log(`seed ${options.seed}`);
  // What is killed is started again a thousand times: its code is compiled once.
  process.env["NODE_COMPILE_CACHE"] = mkdtempSync(join(tmpdir(), "atelier-code-"));
  await using postgres = await startPostgresServer();
  const { [Symbol.asyncDispose]: _, ...connection } = postgres;
  process.env[TEST_POSTGRES_VARIABLE] = JSON.stringify(connection);
  const ends: End[] = [];
  const lanes = Array.from({ length: options.lanes }, async (_unused, index) => {
    await using database = await testDatabase();
    ends.push(await lane(options, { index, database }));
  });
  const all = Promise.all(lanes);
  all.catch(() => {}); // It is thrown where it is awaited.
  await Promise.race([all, interruptedLately(interrupt.signal)]);
  return { options, ends };
}

/** Servers may have heard the same Ctrl-C, and nothing comes to its end by itself any more. */
async function interruptedLately(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
  await sleep(GRACE_MS);
}

/** Of the times given: what so large a share of them stays below. */
export function quantileMs(timesMs: readonly number[], share: number): string {
  const sorted = timesMs.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(0) ?? "-";
}
