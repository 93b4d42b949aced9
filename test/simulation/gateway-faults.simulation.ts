/**
 * `npm run simulate -- gateway-faults [--requests N] [--seed N]`: a real server with failover on faults,
 * and a provider of which one of five keys is faulty, for each fault, format and place of the key. Prints
 * a table and fails where clients notice: fewer than 99.9 % of requests served, or a p99 that exceeds
 * that of healthy keys by more than one attempt's time-out.
 */
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import {
  ATTEMPT_MS_MAX,
  runCell,
  startFaultWorld,
  WIRES,
  type Cell,
  type CellResult,
  type Place,
} from "./fault-cells.ts";
import { FAULTS, type Fault, type Wire } from "./fault-upstream.ts";

export const title = "gateway with a faulty key";

export type FaultRunInput = {
  readonly seed: number;
  /** In each cell. Null: the usual. */
  readonly requests: number | null;
  readonly report: (line: string) => void;
};

const REQUESTS_DEFAULT = 1_200;
/** Fewer than one in a hundred of a cell's requests: those under way when a key is first found dead. */
const CONCURRENCY = 8;
const SERVED_SHARE_MIN = 0.999;

export async function simulate({ seed, requests, report }: FaultRunInput): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const world = await startFaultWorld(resources);
  const load = {
    requests: requests ?? REQUESTS_DEFAULT,
    concurrency: CONCURRENCY,
    draws: new SeededDraws(seed),
  };
  const failed: string[] = [];
  console.log(HEAD);
  for (const wire of WIRES) {
    // The first cell warms the server up, and is not counted.
    await runCell(world, { ...wire, fault: "none", place: "first" }, load);
    const healthy = await runCell(world, { ...wire, fault: "none", place: "first" }, load);
    console.log(rowOf(healthy, null));
    for (const cell of cellsOf(wire)) {
      const result = await runCell(world, cell, load);
      console.log(rowOf(result, healthy));
      if (!holds(result, healthy)) failed.push(rowOf(result, healthy) + result.firstFailure);
    }
    report(`${wire.format}, ${wire.stream ? "streaming" : "blocking"} done`);
  }
  if (failed.length > 0) throw new Error(`clients noticed:\n${failed.join("\n")}`);
}

function cellsOf(wire: Wire): Cell[] {
  return FAULTS.filter((fault) => fault !== "none").flatMap((fault): Cell[] =>
    // The fault of a handshake belongs to no key.
    fault === "TLS failure"
      ? [{ ...wire, fault, place: "first" }]
      : [
          { ...wire, fault, place: "first" },
          { ...wire, fault, place: "drawn" },
        ],
  );
}

function extraMs({ p99Ms }: CellResult, healthy: CellResult): number {
  return Math.max(0, p99Ms - healthy.p99Ms);
}

function holds(result: CellResult, healthy: CellResult): boolean {
  const isServed = result.successes >= result.requests * SERVED_SHARE_MIN;
  return isServed && extraMs(result, healthy) <= ATTEMPT_MS_MAX;
}

const HEAD = [
  "| format | mode | fault | key | requests | served % | attempts/request | p50 ms | p99 ms | extra p99 ms | slowest ms | holds |",
  "| --- | --- | --- | --- | --: | --: | --: | --: | --: | --: | --: | --- |",
].join("\n");

function nameOf({ cell: { format, stream, fault, place }, faultyAt }: CellResult): string {
  const mode = stream ? "streaming" : "blocking";
  return `| ${format} | ${mode} | ${fault} | ${whereOf(fault, place, faultyAt)} |`;
}

function whereOf(fault: Fault, place: Place, faultyAt: number): string {
  if (fault === "none") return "–";
  if (fault === "TLS failure") return "1 of 5 handshakes";
  return place === "first" ? "first" : `no. ${faultyAt}, drawn`;
}

function rowOf(result: CellResult, healthy: CellResult | null): string {
  const { requests, successes, attempts, p50Ms, p99Ms, slowestMs } = result;
  const figures = [
    String(requests),
    ((successes / requests) * 100).toFixed(2),
    (attempts / requests).toFixed(3),
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    healthy === null ? "–" : extraMs(result, healthy).toFixed(1),
    slowestMs.toFixed(0),
    healthy === null ? "–" : holds(result, healthy) ? "yes" : "NO",
  ];
  return `${nameOf(result)} ${figures.join(" | ")} |`;
}
