/**
 * How much memory and processor time is used, and how much there is: of the container where the agent
 * runs in one, else of the machine.
 */
import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { join } from "node:path";
import {
  coresOf,
  fieldOf,
  groupsAround,
  memInfoBytes,
  parseCpuMax,
  parseGroupPaths,
  parseLimit,
  type GroupPaths,
} from "./cgroup.ts";

export type Usage = {
  /** Time on processors since some start. */
  readonly cpuMs: number;
  readonly cpuCores: number;
  readonly memoryBytesUsed: number;
  readonly memoryBytes: number;
};

/** `root`: where `/proc` and `/sys` are, which is `/` but in tests. */
export async function readUsage(root: string): Promise<Usage> {
  const read = (path: string): Promise<string | null> => findText(join(root, path));
  const paths = parseGroupPaths((await read("proc/self/cgroup")) ?? "");
  const isUnified = (await read("sys/fs/cgroup/cgroup.controllers")) !== null;
  const groups = isUnified ? unified(read, paths) : separate(read, paths);
  const [memory, cpu, host] = [await groups.memory(), await groups.cpu(), await hostUsage(read)];
  const limit = Math.min(memory?.limit ?? Infinity, host.memoryBytes);
  return {
    cpuMs: cpu?.usedMs ?? host.cpuMs,
    cpuCores: Math.min(cpu?.cores ?? Infinity, host.cpuCores),
    memoryBytesUsed: memory === null ? host.memoryBytesUsed : Math.min(memory.used, limit),
    memoryBytes: limit,
  };
}

type Read = (path: string) => Promise<string | null>;
type MemoryGroup = { readonly used: number; readonly limit: number | null };
type CpuGroup = { readonly usedMs: number; readonly cores: number | null };
/** Null: the agent is in no container, as far as can be seen. */
type Groups = { memory(): Promise<MemoryGroup | null>; cpu(): Promise<CpuGroup | null> };

/**
 * The group that counts is the innermost with a limit. In a container the outermost that is seen is the
 * container's; on a machine the root has no files of this kind.
 */
function unified(read: Read, { unified: path }: GroupPaths): Groups {
  const file = (group: string, name: string): Promise<string | null> =>
    read(join("sys/fs/cgroup", group, name));
  const groups = groupsAround(path ?? "/");
  return {
    async memory() {
      for (const group of groups) {
        const limit = parseLimit(await file(group, "memory.max"));
        const used = parseLimit(await file(group, "memory.current"));
        if (used === null || (limit === null && group !== "/")) continue;
        const cache = fieldOf(await file(group, "memory.stat"), "inactive_file") ?? 0;
        return { used: Math.max(0, used - cache), limit };
      }
      return null;
    },
    async cpu() {
      for (const group of groups) {
        const max = await file(group, "cpu.max");
        const cores = parseCpuMax(max);
        if (max === null || (cores === null && group !== "/")) continue;
        const usedUs = fieldOf(await file(group, "cpu.stat"), "usage_usec");
        if (usedUs !== null) return { usedMs: usedUs / 1_000, cores };
      }
      return null;
    },
  };
}

/** Inside of a container its own group is mounted as the root, whatever the path says. */
function separate(read: Read, paths: GroupPaths): Groups {
  const groupsOf = (path: string | null): string[] => groupsAround(path ?? "/");
  const file = (controllers: string, group: string, name: string): Promise<string | null> =>
    read(join("sys/fs/cgroup", controllers, group, name));
  return {
    async memory() {
      for (const group of groupsOf(paths.memory)) {
        const limit = parseLimit(await file("memory", group, "memory.limit_in_bytes"));
        const used = parseLimit(await file("memory", group, "memory.usage_in_bytes"));
        if (limit === null || used === null) continue;
        const stat = await file("memory", group, "memory.stat");
        const cache = fieldOf(stat, "total_inactive_file") ?? 0;
        return { used: Math.max(0, used - cache), limit };
      }
      return null;
    },
    async cpu() {
      for (const group of groupsOf(paths.cpu)) {
        const quota = await file("cpu", group, "cpu.cfs_quota_us");
        const period = await file("cpu", group, "cpu.cfs_period_us");
        const cores = coresOf(Number(quota ?? -1), Number(period ?? 0));
        const usedNs = Number((await file("cpuacct", group, "cpuacct.usage")) ?? Number.NaN);
        if (cores !== null && Number.isFinite(usedNs)) return { usedMs: usedNs / 1e6, cores };
      }
      return null;
    },
  };
}

async function hostUsage(read: Read): Promise<Usage> {
  const info = await read("proc/meminfo");
  const total = memInfoBytes(info, "MemTotal") ?? totalmem();
  const available = memInfoBytes(info, "MemAvailable") ?? freemem();
  // Unlike the load, time in which a processor waits for a disk is not used.
  const cpuMs = cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
  return {
    cpuMs,
    cpuCores: availableParallelism(),
    memoryBytesUsed: Math.max(0, total - available),
    memoryBytes: total,
  };
}

async function findText(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return null; // This system has no such file.
  }
}
