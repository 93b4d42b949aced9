/** How a machine does at a moment. Use of processors is measured between two moments. */
import type { Clock } from "@atelier/base/clock";
import type { MachineStats } from "@atelier/contract/rpc/workspace/machine";
import { statfs } from "node:fs/promises";
import { loadavg } from "node:os";
import { readUsage, type Usage } from "./read-usage-io.ts";

/** Between the two looks of somebody who wants to know once. */
const MEASURED_MS = 250;

export type StatsDeps = {
  readonly homeDirectory: string;
  /** Where `/proc` and `/sys` are. */
  readonly systemRoot: string;
  readonly clock: Clock;
};

type Look = { readonly usage: Usage; readonly atMs: number };

export async function measureOnce(deps: StatsDeps, signal: AbortSignal): Promise<MachineStats> {
  const before = await look(deps);
  await deps.clock.sleep(MEASURED_MS, signal);
  return statsBetween(deps, before, await look(deps));
}

/** At once, and then each time the interval is over. */
export async function* measureAgain(
  deps: StatsDeps,
  intervalMs: number,
  signal: AbortSignal,
): AsyncGenerator<MachineStats> {
  let before = await look(deps);
  await deps.clock.sleep(Math.min(MEASURED_MS, intervalMs), signal);
  for (;;) {
    const after = await look(deps);
    yield await statsBetween(deps, before, after);
    before = after;
    await deps.clock.sleep(intervalMs, signal);
  }
}

async function look({ systemRoot, clock }: StatsDeps): Promise<Look> {
  return { usage: await readUsage(systemRoot), atMs: clock.monotonicMs() };
}

async function statsBetween(
  { homeDirectory, clock }: StatsDeps,
  before: Look,
  { usage, atMs }: Look,
): Promise<MachineStats> {
  const passedMs = atMs - before.atMs;
  const usedMs = usage.cpuMs - before.usage.cpuMs;
  const disk = await statfs(homeDirectory);
  return {
    at: clock.now().toISOString(),
    cpuCoresUsed: passedMs > 0 ? Math.max(0, usedMs / passedMs) : 0,
    cpuCores: usage.cpuCores,
    memoryBytesUsed: usage.memoryBytesUsed,
    memoryBytes: usage.memoryBytes,
    diskBytesUsed: (disk.blocks - disk.bfree) * disk.bsize,
    diskBytes: disk.blocks * disk.bsize,
    load1: loadavg()[0] ?? 0,
  };
}
