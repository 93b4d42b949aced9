/**
 * The machine's table of processes, and signals to whole trees in it. A signal goes out in the same
 * step in which the table was read, so that a pid is not used again in between.
 */
import type { Clock } from "@atelier/base/clock";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { PROCESS_MARKER } from "./process-environment.ts";
import {
  parseProcessRow,
  PS_COLUMNS,
  type ProcessIdentity,
  type ProcessRow,
} from "./process-identity.ts";
import { isSame, membersOf, targetsOf, type SignalTargets, type TreeRoot } from "./process-tree.ts";

/** What outlives SIGKILL for so long cannot be killed by this user. */
const SURVIVAL_MS_MAX = 2_000;
/** For trees that go on to fork. */
const KILL_MS_MAX = 10_000;
/** How often members are looked for that have appeared since. */
const SIGNAL_PASSES_MAX = 5;
const PASS_PAUSE_MS = 2;

/** Where processes are read from: `/proc`, or `ps` where that does not exist. */
export interface ProcessTable {
  rows(): Promise<ProcessRow[]>;
  /** Which of these live: as themselves, and not as zombies. */
  livingOf(identities: readonly ProcessIdentity[]): Promise<ReadonlySet<number>>;
  /** Whether a process' environment has this as its marker. False where it cannot be read. */
  hasMarker(pid: number, marker: string): boolean;
  /** What a process runs, with its arguments. Empty where nobody can tell. */
  programOf(pid: number): string;
  /** Another one after each start of the machine. */
  bootId(): Promise<string>;
}

export function openProcessTable(platform: NodeJS.Platform): ProcessTable {
  return platform === "linux" ? LINUX_TABLE : PS_TABLE;
}

export type Tree = TreeRoot & {
  readonly id: string;
  /** In the environment of its members. */
  readonly marker: string;
};

/** Until nothing is left of the tree. Answers with those that could not be killed. */
export async function killTree(
  table: ProcessTable,
  tree: Tree,
  clock: Clock,
): Promise<readonly number[]> {
  const startedMs = clock.monotonicMs();
  const firstSentMs = new Map<string, number>();
  for (let pass = 1; ; pass += 1) {
    const rows = await table.rows();
    const members = livingMembers(table, rows, tree);
    if (members.length === 0) return [];
    const nowMs = clock.monotonicMs();
    for (const row of members) firstSentMs.getOrInsert(nameOf(row), nowMs);
    const survivors = members.filter(
      (row) => nowMs - (firstSentMs.get(nameOf(row)) ?? nowMs) > SURVIVAL_MS_MAX,
    );
    const isLate = nowMs - startedMs > KILL_MS_MAX;
    if (survivors.length > 0 || isLate) return members.map(({ pid }) => pid);
    sendTo(targetsOf(rows, members), "SIGKILL");
    await clock.sleep(Math.min(pass, 10) * PASS_PAUSE_MS, NEVER);
  }
}

/**
 * Once to each member, also to those that appear meanwhile. What a shell has just forked to run a
 * program swallows a signal, so the program gets it again.
 */
export async function signalTree(
  table: ProcessTable,
  tree: Tree,
  signal: NodeJS.Signals,
  clock: Clock,
): Promise<void> {
  const reached = new Set<string>();
  for (let pass = 1; pass <= SIGNAL_PASSES_MAX; pass += 1) {
    const rows = await table.rows();
    const members = livingMembers(table, rows, tree);
    if (members.length === 0) return;
    const nameOfRun = (row: ProcessRow): string => `${nameOf(row)} ${table.programOf(row.pid)}`;
    const fresh = members.filter((row) => !reached.has(nameOfRun(row)));
    for (const row of fresh) reached.add(nameOfRun(row));
    sendTo(targetsOf(rows, fresh), signal);
    await clock.sleep(pass * PASS_PAUSE_MS, NEVER);
  }
}

function nameOf({ pid, startTime }: ProcessIdentity): string {
  return `${pid} ${startTime}`;
}

function sendTo({ groups, pids }: SignalTargets, signal: NodeJS.Signals): void {
  for (const group of groups) send(-group, signal);
  for (const pid of pids) send(pid, signal);
}

/** Which of these trees have living members. */
export async function livingTrees(
  table: ProcessTable,
  trees: readonly Tree[],
): Promise<ReadonlySet<string>> {
  if (trees.length === 0) return new Set();
  const rows = await table.rows();
  return new Set(
    trees.filter((tree) => livingMembers(table, rows, tree).length > 0).map(({ id }) => id),
  );
}

function livingMembers(table: ProcessTable, rows: readonly ProcessRow[], tree: Tree): ProcessRow[] {
  return membersOf(rows, tree, process.pid, (pid) => table.hasMarker(pid, tree.marker));
}

const NEVER = new AbortController().signal;

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    // It ended by itself, or belongs to another user: whoever must know looks again.
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

/** Read at once and not by turns, because a fork bomb is faster than a queue of reads. */
const LINUX_TABLE: ProcessTable = {
  rows: async () => {
    const rows: ProcessRow[] = [];
    for (const name of readdirSync("/proc")) {
      const row = /^\d+$/.test(name) ? readRow(Number(name)) : null;
      if (row !== null) rows.push(row);
    }
    return rows;
  },
  livingOf: async (identities) => {
    const living = identities.filter((identity) => {
      const row = readRow(identity.pid);
      return row !== null && !row.isZombie && isSame(row, identity);
    });
    return new Set(living.map(({ pid }) => pid));
  },
  hasMarker: (pid, marker) =>
    `\0${readOrEmpty(`/proc/${pid}/environ`)}\0`.includes(
      `\0${PROCESS_MARKER}=${latin1(marker)}\0`,
    ),
  programOf: (pid) => readOrEmpty(`/proc/${pid}/cmdline`),
  bootId: async () => readOrEmpty("/proc/sys/kernel/random/boot_id").trim(),
};

/** As `readOrEmpty` reads what is UTF-8. */
function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function readRow(pid: number): ProcessRow | null {
  return parseProcessRow(readOrEmpty(`/proc/${pid}/stat`).trimEnd());
}

/** Empty: it ended meanwhile, or is not for this user to read. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** `ps` of POSIX with start times, as macOS and the BSDs have it. It shows no environments. */
const PS_TABLE: ProcessTable = {
  rows: () => readPs(["-ax"]),
  livingOf: async (identities) => {
    if (identities.length === 0) return new Set();
    const rows = await readPs(["-p", identities.map(({ pid }) => pid).join(",")]);
    const living = rows.filter(
      (row) => !row.isZombie && identities.some((identity) => isSame(row, identity)),
    );
    return new Set(living.map(({ pid }) => pid));
  },
  hasMarker: () => false,
  programOf: () => "",
  // The first process of all starts with the machine.
  bootId: async () => String((await readPs(["-p", "1"]))[0]?.startTime),
};

function readPs(selection: readonly string[]): Promise<ProcessRow[]> {
  const columns = PS_COLUMNS.flatMap((column) => ["-o", column]);
  return new Promise((resolve, reject) => {
    execFile(
      "ps",
      [...selection, ...columns],
      { env: { LC_ALL: "C", PATH: "/bin:/usr/bin" }, maxBuffer: PS_BYTES_MAX },
      (error, stdout) => {
        // It exits with 1 when it found none.
        if (error !== null && error.code !== 1) {
          reject(new Error("the table of processes could not be read", { cause: error }));
          return;
        }
        const rows = stdout.split("\n").map(parseProcessRow);
        resolve(rows.filter((row) => row !== null));
      },
    );
  });
}

const PS_BYTES_MAX = 16 * 1024 * 1024;
