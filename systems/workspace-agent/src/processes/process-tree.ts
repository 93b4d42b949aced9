/**
 * Which processes belong to a started one: its session, the descendants of any member, and whoever
 * carries its marker in the environment, so that leaving the session or the parent is no escape.
 * What gives up all three (`env -i` in a daemon) is not found. Pure.
 */
import type { ProcessIdentity, ProcessRow } from "./process-identity.ts";

/** What is known of a started process. Null: it was lost before that was known. */
export type TreeRoot = {
  /** The shell that leads the session and writes down how the command ended. */
  readonly keeper: ProcessIdentity | null;
  readonly command: ProcessIdentity | null;
};

/** Living members. `hasMarker` is asked last and of few, because it reads a file. */
export function membersOf(
  table: readonly ProcessRow[],
  { keeper, command }: TreeRoot,
  selfPid: number,
  hasMarker: (pid: number) => boolean,
): ProcessRow[] {
  const bornAt = keeper?.startTime ?? command?.startTime ?? 0;
  // A descendant is not older. The agent is never a victim of its own, wherever it was started.
  const candidates = table.filter(({ pid, startTime }) => pid !== selfPid && startTime >= bornAt);
  const known = candidates.filter((row) => isSame(row, keeper) || isSame(row, command));
  const sessionId = keeper?.pid ?? null;
  // While one of both lives, the number of their session cannot belong to another.
  const isInSession = (row: ProcessRow): boolean =>
    known.length > 0 && sessionId !== null && (row.session ?? row.group) === sessionId;
  const members = new Map<number, ProcessRow>();
  const childrenOf = Map.groupBy(candidates, ({ parentPid }) => parentPid);
  const add = (from: ProcessRow): void => {
    const waiting = [from];
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      if (members.has(row.pid)) continue;
      members.set(row.pid, row);
      waiting.push(...(childrenOf.get(row.pid) ?? []));
    }
  };
  for (const row of known) add(row);
  for (const row of candidates) if (isInSession(row)) add(row);
  for (const row of candidates) {
    if (!members.has(row.pid) && !row.isZombie && hasMarker(row.pid)) add(row);
  }
  return [...members.values()].filter(({ isZombie }) => !isZombie);
}

/** Where a signal goes: groups that are wholly of the tree, and single processes of others. */
export type SignalTargets = {
  readonly groups: readonly number[];
  readonly pids: readonly number[];
};

/**
 * A signal to a group reaches all of it at once, also a member that is just forking. 0 and 1 would
 * mean other things than groups.
 */
export function targetsOf(
  table: readonly ProcessRow[],
  members: readonly ProcessRow[],
): SignalTargets {
  const ours = new Set(members.map(({ pid }) => pid));
  const shared = new Set(
    table.filter(({ pid, isZombie }) => !isZombie && !ours.has(pid)).map(({ group }) => group),
  );
  const isWhole = ({ group }: ProcessRow): boolean => group > 1 && !shared.has(group);
  return {
    groups: [...new Set(members.filter(isWhole).map(({ group }) => group))],
    pids: members.filter((row) => !isWhole(row) && row.pid > 1).map(({ pid }) => pid),
  };
}

export function isSame(row: ProcessIdentity, identity: ProcessIdentity | null): boolean {
  return row.pid === identity?.pid && row.startTime === identity.startTime;
}
