import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProcessRow } from "./process-identity.ts";
import { membersOf, targetsOf } from "./process-tree.ts";

const SELF = 50;

/** pid, parent, group, session, start time. */
function row(
  pid: number,
  [parentPid, group, session, startTime]: readonly [number, number, number, number],
  isZombie = false,
): ProcessRow {
  return { pid, parentPid, group, session, startTime, isZombie };
}

const KEEPER = row(100, [SELF, 100, 100, 10]);
const COMMAND = row(101, [100, 100, 100, 10]);
const ROOT = { keeper: { pid: 100, startTime: 10 }, command: { pid: 101, startTime: 10 } };
const OTHERS = [row(1, [0, 1, 1, 1]), row(SELF, [1, SELF, SELF, 5]), row(60, [SELF, 60, 60, 11])];

function pidsOf(table: readonly ProcessRow[], marked: readonly number[] = []): number[] {
  const members = membersOf(table, ROOT, SELF, (pid) => marked.includes(pid));
  return members.map(({ pid }) => pid).toSorted((a, b) => a - b);
}

test("a tree is the keeper, its session, descendants that left it, and the marked", () => {
  const table = [
    ...OTHERS,
    KEEPER,
    COMMAND,
    row(102, [1, 100, 100, 12]), // Orphan in the session.
    row(103, [101, 103, 103, 12]), // Own session.
    row(104, [103, 103, 103, 13]),
    row(105, [1, 105, 105, 13]), // Daemon.
    row(106, [105, 106, 106, 14]),
  ];
  assert.deepEqual(pidsOf(table, [105]), [100, 101, 102, 103, 104, 105, 106]);
  assert.deepEqual(pidsOf(table), [100, 101, 102, 103, 104]);
});

test("numbers that were given to others since belong to those", () => {
  const reused = [row(100, [1, 100, 100, 99]), row(101, [100, 100, 100, 99])];
  assert.deepEqual(pidsOf([...OTHERS, ...reused]), []);
  // The marker says more than any number.
  assert.deepEqual(pidsOf([...OTHERS, ...reused], [101]), [101]);
});

test("what is older than the keeper is none of its tree, and the agent never is", () => {
  const table = [...OTHERS, KEEPER, COMMAND, row(90, [101, 100, 100, 9])];
  assert.deepEqual(pidsOf(table, [SELF, 90]), [100, 101]);
  const agentInside = [
    KEEPER,
    COMMAND,
    row(SELF, [101, SELF, SELF, 20]),
    row(70, [SELF, 70, 70, 21]),
  ];
  assert.deepEqual(pidsOf(agentInside), [100, 101]);
});

test("zombies are dead, but keep their session's number from others", () => {
  const zombie = { ...KEEPER, isZombie: true };
  assert.deepEqual(pidsOf([...OTHERS, zombie, row(102, [1, 100, 100, 12])]), [102]);
});

test("a signal goes to whole groups, and one by one where others are in them", () => {
  const table = [...OTHERS, KEEPER, COMMAND, row(103, [101, 60, 60, 12])];
  const members = [KEEPER, COMMAND, row(103, [101, 60, 60, 12])];
  assert.deepEqual(targetsOf(table, members), { groups: [100], pids: [103] });
});

test("no signal ever goes to the groups that mean everybody, or oneself", () => {
  const members = [row(2, [1, 0, 0, 1]), row(3, [1, 1, 1, 1]), row(1, [0, 1, 1, 1])];
  assert.deepEqual(targetsOf(members, members), { groups: [], pids: [2, 3] });
});
