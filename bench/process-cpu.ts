/** CPU time of a process tree, from /proc. Linux only. */
import { readFileSync, readdirSync } from "node:fs";

/** The kernel counts in these (getconf CLK_TCK is 100 on every Linux that Node runs on). */
const TICKS_PER_SECOND = 100;

/** Milliseconds of user and system time of a process, its threads and its living children. */
export function treeCpuMs(pid: number): number {
  return treeOf(pid).reduce((totalMs, each) => totalMs + cpuMs(each), 0);
}

function treeOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = Number(statFields(Number(entry))[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const tree = [pid];
  for (const each of tree) tree.push(...(children.get(each) ?? []));
  return tree;
}

function cpuMs(pid: number): number {
  const fields = statFields(pid);
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  return (ticks * 1_000) / TICKS_PER_SECOND;
}

/** The fields after the command's name, which may itself hold spaces and brackets. */
function statFields(pid: number): string[] {
  const text = readText(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // It ended in between.
  }
}
