/** The machine a measurement belongs to, and whether anybody else is using it. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** Which processors the measured gateway has, and which everything else has. Null: not pinned. */
export type Placement = { readonly gateway: string; readonly others: string } | null;

/** Above these, somebody else is at work and the figures say less. */
const LOAD_MAX = 0.5;
const BUSY_SHARE_MAX = 0.1;
const LOOK_MS = 1_000;

export function describeMachine(placement: Placement): string {
  const processors = os.cpus();
  const memoryGb = (os.totalmem() / 2 ** 30).toFixed(0);
  const pinned =
    placement === null
      ? "nothing pinned (no taskset, or one processor)"
      : `gateway on processor ${placement.gateway}; driver, upstream and Postgres on ${placement.others}`;
  const model = processors[0]?.model.trim() ?? "unknown";
  return `${processors.length} × ${model}, ${memoryGb} GB, ${os.type()} ${os.release()}; ${pinned}`;
}

/** One processor for the gateway and all others for the load, where both exist. */
export function choosePlacement(): Placement {
  if (spawnSync("taskset", ["--version"]).status !== 0) return null;
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"));
  return placementOf(parseProcessors(allowed?.[1] ?? ""));
}

/** The kernel serves interrupts on the first one, so the gateway gets the last. */
export function placementOf(processors: readonly number[]): Placement {
  const gateway = processors.at(-1);
  if (gateway === undefined || processors.length < 2) return null;
  return { gateway: String(gateway), others: processors.slice(0, -1).join(",") };
}

/** `0-2,5` as the kernel writes it. */
export function parseProcessors(list: string): number[] {
  return list
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [from = 0, to = from] = part.split("-").map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
}

/** What disturbs, as a sentence. Null: the machine is quiet. Look before anything is started. */
export async function findDisturbance(): Promise<string | null> {
  const before = readBusy();
  await sleep(LOOK_MS);
  const after = readBusy();
  const share = (after.busy - before.busy) / Math.max(1, after.total - before.total);
  const load = os.loadavg()[0] ?? 0;
  if (load <= LOAD_MAX && share <= BUSY_SHARE_MAX) return null;
  return (
    `Others use this machine (load ${load.toFixed(2)}, ${(share * 100).toFixed(0)} % of its ` +
    "processors busy before the start): the figures may be noisy."
  );
}

function readBusy(): { readonly busy: number; readonly total: number } {
  return parseBusy(readFileSync("/proc/stat", "utf8"));
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, then what is never idle. */
export function parseBusy(text: string): { readonly busy: number; readonly total: number } {
  const fields = (/^cpu +(.*)$/m.exec(text)?.[1] ?? "").split(" ").slice(0, 8).map(Number);
  const total = fields.reduce((sum, value) => sum + value, 0);
  return { busy: total - (fields[3] ?? 0) - (fields[4] ?? 0), total };
}
