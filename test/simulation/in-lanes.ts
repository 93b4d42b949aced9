/**
 * The frame of simulations that strike real programs: the words of their command, one Postgres for all,
 * and several worlds beside each other, each with a database of its own.
 */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startPostgresServer, TEST_POSTGRES_VARIABLE } from "@atelier/testkit/postgres-server";
import { testDatabase, type TestDatabase } from "@atelier/testkit/test-database";

export type LaneOptions = {
  readonly seed: number;
  readonly runs: number;
  readonly lanes: number;
  /** A part of a name; empty: all. */
  readonly only: string;
  /** Since the command began. */
  readonly seconds: () => string;
  /** Ctrl-C: ends early, with what was found until then. */
  readonly signal: AbortSignal;
};

type Lane<End> = (
  options: LaneOptions,
  lane: { readonly index: number; readonly database: TestDatabase },
) => Promise<End>;

const SEED_MAX = 2 ** 31;

/** `[--runs N] [--seed N] [--lanes N] [--only text]`. What each lane found, in their order. */
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
  process.once("SIGINT", () => interrupt.abort());
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
  const codeCache = mkdtempSync(join(tmpdir(), "atelier-code-"));
  process.env["NODE_COMPILE_CACHE"] = codeCache;
  await using postgres = await startPostgresServer();
  const { [Symbol.asyncDispose]: _, ...connection } = postgres;
  process.env[TEST_POSTGRES_VARIABLE] = JSON.stringify(connection);
  try {
    const ends = await Promise.all(
      Array.from({ length: options.lanes }, async (_unused, index) => {
        await using database = await testDatabase();
        return await lane(options, { index, database });
      }),
    );
    return { options, ends };
  } finally {
    rmSync(codeCache, { recursive: true, force: true });
  }
}

/** Of the times given: what so large a share of them stays below. */
export function quantileMs(timesMs: readonly number[], share: number): string {
  const sorted = timesMs.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(0) ?? "-";
}
