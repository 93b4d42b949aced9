/**
 * Which process a number means: pids are used again, a pid together with the time at which it
 * started is not. Reads the lines in which Linux (`/proc/<pid>/stat`) and other systems (`ps`) say
 * both. Pure.
 */

export type ProcessIdentity = {
  readonly pid: number;
  /** Comparable on one machine until it starts again: clock ticks on Linux, else milliseconds. */
  readonly startTime: number;
};

/** A row of the machine's table of processes. */
export type ProcessRow = ProcessIdentity & {
  readonly parentPid: number;
  readonly group: number;
  /** Null where the system does not say. */
  readonly session: number | null;
  /** Ended, and its parent has not asked how. */
  readonly isZombie: boolean;
};

/** What `PS_COLUMNS` of `ps` print, one row in a line. */
export const PS_COLUMNS = ["pid=", "ppid=", "pgid=", "stat=", "lstart="] as const;

/** A whole line of either kind. Null: it is not one, or was cut. */
export function parseProcessRow(line: string): ProcessRow | null {
  return parseStatLine(line) ?? parsePsLine(line);
}

/** `/proc/<pid>/stat`, proc(5). The name in parentheses may hold anything. */
function parseStatLine(line: string): ProcessRow | null {
  const open = line.indexOf(" (");
  const close = line.lastIndexOf(") ");
  if (open === -1 || close === -1) return null;
  const fields = line.slice(close + 2).split(" ");
  const [state = "", parentPid, group, session] = fields;
  const row = {
    pid: Number(line.slice(0, open)),
    parentPid: Number(parentPid),
    group: Number(group),
    session: Number(session),
    // Field 22 of the line, which begins with the pid and the name.
    startTime: Number(fields[22 - 3] ?? Number.NaN),
  };
  if (!Object.values(row).every(Number.isSafeInteger)) return null;
  return { ...row, isZombie: state === "Z" || state === "X" };
}

/** Such as `  12   1  12 Ss   Fri Nov 21 04:05:23 2025`. */
function parsePsLine(line: string): ProcessRow | null {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S.*)$/.exec(line);
  if (match === null) return null;
  const [, pid, parentPid, group, state = "", started = ""] = match;
  const startTime = Date.parse(started.trim());
  if (Number.isNaN(startTime)) return null;
  return {
    pid: Number(pid),
    parentPid: Number(parentPid),
    group: Number(group),
    session: null,
    startTime,
    isZombie: state.startsWith("Z"),
  };
}
