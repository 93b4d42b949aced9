/**
 * What a tree of processes uses, from /proc: processor time and memory, Postgres's own processes
 * apart from the rest. Linux only.
 */
import { readFileSync, readdirSync } from "node:fs";

/** The kernel counts in these (getconf CLK_TCK is 100 on every Linux that Node runs on). */
const TICKS_PER_SECOND = 100;

export type ProcessStat = {
  readonly pid: number;
  readonly command: string;
  readonly parent: number;
  /** User and system time of the process, its threads and its children that have ended. */
  readonly cpuMs: number;
};

/** How a tree's figure is shared between its program and the database that it runs. */
export type TreeUse = { readonly own: number; readonly postgres: number };

/** Milliseconds of user and system time of a process, its threads and its children. */
export function treeCpuMs(pid: number): TreeUse {
  return sumOf(treeOf(pid), ({ cpuMs }) => cpuMs);
}

/** Kilobytes in memory; pages that several processes share count for each of them in part. */
export function treeMemoryKb(pid: number): TreeUse {
  return sumOf(treeOf(pid), (each) => memoryKb(each.pid));
}

export function treeOf(pid: number): readonly ProcessStat[] {
  const children = new Map<number, ProcessStat[]>();
  const roots: ProcessStat[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = parseStat(readText(`/proc/${entry}/stat`));
    if (stat === null) continue;
    if (stat.pid === pid) roots.push(stat);
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), stat]);
  }
  const tree = [...roots];
  for (const each of tree) tree.push(...(children.get(each.pid) ?? []));
  return tree;
}

export function isPostgres({ command }: Pick<ProcessStat, "command">): boolean {
  return command === "postgres" || command === "postmaster";
}

function sumOf(tree: readonly ProcessStat[], pick: (stat: ProcessStat) => number): TreeUse {
  let [own, postgres] = [0, 0];
  for (const each of tree) {
    if (isPostgres(each)) postgres += pick(each);
    else own += pick(each);
  }
  return { own, postgres };
}

/** A line of /proc/<pid>/stat. Null: the process has ended. */
export function parseStat(text: string): ProcessStat | null {
  // The command's name stands in brackets and may itself hold spaces and brackets.
  const [from, to] = [text.indexOf("("), text.lastIndexOf(")")];
  if (from < 0 || to < from) return null;
  const fields = text.slice(to + 2).split(" ");
  // Its own, and its ended children's: Postgres ends connections that nobody uses.
  const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
  return {
    pid: Number(text.slice(0, from)),
    command: text.slice(from + 1, to),
    parent: Number(fields[1]),
    cpuMs: (ticks * 1_000) / TICKS_PER_SECOND,
  };
}

function memoryKb(pid: number): number {
  const shared = parseKb(readText(`/proc/${pid}/smaps_rollup`), "Pss");
  return shared ?? parseKb(readText(`/proc/${pid}/status`), "VmRSS") ?? 0;
}

/** A line such as `Pss:      1234 kB`. */
export function parseKb(text: string, name: string): number | null {
  const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
  return value === undefined ? null : Number(value);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // It ended in between, or is not ours to look at.
  }
}
