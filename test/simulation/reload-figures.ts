/** What came of many reloads, as a table that documents can hold. Pure. */
import type { ReloadLoad } from "./reload-load.ts";

export type Figures = {
  readonly seed: number;
  readonly seconds: number;
  readonly reloads: number;
  /** Name of the change → how long after it each server served by it. */
  readonly takenOverMs: ReadonlyMap<string, readonly number[]>;
  readonly counts: ReloadLoad["counts"];
  readonly failures: readonly string[];
  /** Requests that reached the provider with a key that was revoked. */
  readonly refusedKeys: number;
  /** How long after both servers had the new key a request that began before used the old one. */
  readonly oldKeyUsesMs: readonly number[];
  /** Interceptions in the database: all, and those with an error. */
  readonly recordedEnded: number;
  readonly recordedFailed: number;
  /** Connections to an address that no provider has any more. */
  readonly connectionsLeft: number;
};

export function figuresTable(figures: Figures): string {
  const { counts, failures, oldKeyUsesMs } = figures;
  const requests = counts.blocking + counts.streams;
  const facts: readonly (readonly [string, string | number])[] = [
    ["reloads", figures.reloads],
    ["seconds", figures.seconds.toFixed(0)],
    ["requests answered whole", requests],
    ["of them streams", counts.streams],
    ["streams that outlived a reload", counts.streamsAcrossReloads],
    ["most reloads in one stream", counts.reloadsInStreamMax],
    ["failed requests", failures.length],
    ["requests with a revoked key", figures.refusedKeys],
    ["requests under way that used an old key later", oldKeyUsesMs.length],
    ["latest such use, ms after the change was served", shown(oldKeyUsesMs, 1)],
    ["recorded interceptions", figures.recordedEnded],
    ["recorded with an error", figures.recordedFailed],
    ["connections left to unused addresses", figures.connectionsLeft],
  ];
  const changes = [...figures.takenOverMs].map(([name, all]) => {
    const late = all.filter((ms) => ms > 2_000).length;
    return `| ${name} | ${all.length} | ${shown(all, 0.5)} | ${shown(all, 0.95)} | ${shown(all, 1)} | ${late} |`;
  });
  return [
    "|  |  |",
    "| --- | --: |",
    ...facts.map(([name, value]) => `| ${name} | ${value} |`),
    "",
    "| change, as each server served it | times | p50 ms | p95 ms | most ms | later than 2 s |",
    "| --- | --: | --: | --: | --: | --: |",
    ...changes,
  ].join("\n");
}

/** The value below which this share of them lies. */
function shown(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
  return sorted.length === 0 ? "-" : Math.max(0, sorted[index] ?? 0).toFixed(0);
}
