/**
 * Where a process' control groups are, and what they say: how much memory and processor time the
 * container has used, and how much it may use. Versions 1 and 2.
 */
export type GroupPaths = {
  /** Version 2's one tree. Null: there is none, or it controls nothing. */
  readonly unified: string | null;
  readonly memory: string | null;
  readonly cpu: string | null;
  readonly cpuacct: string | null;
};

/** Reads `/proc/self/cgroup`: `number:controllers:path` in each line. */
export function parseGroupPaths(text: string): GroupPaths {
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(",")) paths.set(controller, path);
  }
  const of = (controller: string): string | null => paths.get(controller) ?? null;
  return { unified: of(""), memory: of("memory"), cpu: of("cpu"), cpuacct: of("cpuacct") };
}

/** The group itself and those around it, the innermost first, the root `/` last. */
export function groupsAround(path: string): string[] {
  const groups: string[] = [];
  for (let at = path; at !== "/" && at !== ""; at = at.slice(0, at.lastIndexOf("/")))
    groups.push(at);
  return [...groups, "/"];
}

/** Version 1 says "no limit" with a number close to the largest. */
const NO_LIMIT_BYTES = 2 ** 60;

/** `max`, or a number of bytes. Null: no limit. */
export function parseLimit(text: string | null): number | null {
  const bytes = Number(text?.trim() ?? "");
  return text === null || !Number.isFinite(bytes) || bytes <= 0 || bytes >= NO_LIMIT_BYTES
    ? null
    : bytes;
}

/** Version 2's `cpu.max`: quota and period, such as `150000 100000`, or `max 100000`. In cores. */
export function parseCpuMax(text: string | null): number | null {
  const [quota = "max", period = "0"] = text?.trim().split(" ") ?? [];
  return coresOf(Number(quota), Number(period));
}

/** Version 1's quota, which is -1 without a limit, and period. In cores. */
export function coresOf(quota: number, period: number): number | null {
  return quota > 0 && period > 0 && Number.isFinite(quota) ? quota / period : null;
}

/** A value of a file of `name value` lines. */
export function fieldOf(text: string | null, name: string): number | null {
  const line = text?.split("\n").find((each) => each.startsWith(`${name} `));
  const value = Number(line?.slice(name.length + 1));
  return line === undefined || !Number.isFinite(value) ? null : value;
}

/** `MemTotal` and others of `/proc/meminfo`, in bytes. */
export function memInfoBytes(text: string | null, name: string): number | null {
  const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text ?? "") ?? [];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}
