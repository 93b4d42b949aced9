/**
 * The postmaster (Postgres' main process) of a data directory as a process: is one running, started
 * by whom and how, and how to stop it. Everything is read from the system, so it does not matter
 * which process started it.
 */
import { readFileSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@atelier/base/clock";
import type { Cluster } from "./postgres-process.ts";

export type Postmaster = {
  readonly pid: number;
  readonly socketDirectory: string;
  readonly isRunning: boolean;
};

const POLL_MS = 20;
const FAST_STOP_MS_MAX = 10_000;
const IMMEDIATE_STOP_MS_MAX = 10_000;

/** What `postmaster.pid` says, or null when there is none: nothing runs, and nothing crashed. */
export function findPostmaster(directory: string): Postmaster | null {
  const lines = readIfThere(join(directory, "postmaster.pid"))?.split("\n");
  // The lines are documented in Postgres' src/include/utils/pidfile.h.
  const pid = Number(lines?.[0]);
  if (lines === undefined || !Number.isSafeInteger(pid) || pid <= 0) return null;
  return { pid, socketDirectory: lines[4] ?? "", isRunning: isPostmaster(pid, directory) };
}

/** Whether the postmaster that runs was started with these arguments. */
export function wasStartedWith({ directory }: Cluster, args: readonly string[]): boolean {
  const command = readIfThere(join(directory, "postmaster.opts")) ?? "";
  // The program's path comes first. Its version is among the arguments.
  return command.trimEnd().endsWith(args.map((arg) => ` "${arg}"`).join(""));
}

/** Whether this process is the postmaster of that directory, and not another with its number. */
export function isPostmaster(pid: number, directory: string): boolean {
  if (process.platform !== "linux") return isAlive(pid);
  try {
    return (
      readlinkSync(`/proc/${pid}/cwd`) === realpathSync(directory) &&
      /\/postgres( \(deleted\))?$/.test(readlinkSync(`/proc/${pid}/exe`))
    );
  } catch {
    return false; // No such process, a dead one nobody has waited for, or someone else's.
  }
}

/**
 * Lets a new postmaster start although the number in a stale `postmaster.pid` belongs to another
 * program by now. Postgres ignores the number of its own parent, and goes on to check the shared
 * memory that the same file names: deleting the file would take that safety away.
 */
export function disownStalePid(directory: string, parentPid: number): void {
  const file = join(directory, "postmaster.pid");
  const [, ...others] = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, [String(parentPid), ...others].join("\n"));
}

/** Fast: open transactions are undone. Immediate (recovery at the next start) when that takes too long. */
export async function stopPostmaster(pid: number, directory: string, clock: Clock): Promise<void> {
  for (const [signal, waitMs] of [
    ["SIGINT", FAST_STOP_MS_MAX],
    ["SIGQUIT", IMMEDIATE_STOP_MS_MAX],
  ] as const) {
    if (!isPostmaster(pid, directory)) return;
    process.kill(pid, signal);
    const deadlineMs = clock.monotonicMs() + waitMs;
    while (clock.monotonicMs() < deadlineMs) {
      await clock.sleep(POLL_MS, new AbortController().signal);
      if (!isPostmaster(pid, directory)) return;
    }
  }
  throw new Error(`the embedded Postgres (process ${pid}) does not stop`);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM"; // Alive, and not ours.
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return null;
    throw error;
  }
}
