/**
 * What is known of a started process, as values: what its start said, what its keeper wrote down,
 * and the state that follows. Also in which order processes are listed, and which ended ones are
 * forgotten. Pure.
 */
import {
  COMMAND_SHOWN_CHARACTERS_MAX,
  type ProcessInfo,
  type StartProcess,
} from "@atelier/contract/rpc/workspace/processes";
import { createHash } from "node:crypto";
import { constants } from "node:os";
import type { ProcessIdentity } from "./process-identity.ts";
import type { TreeRoot } from "./process-tree.ts";

/** Written before a process starts, and never changed. */
export type StartRecord = {
  readonly id: string;
  readonly command: string;
  readonly workingDirectory: string;
  readonly group: string;
  readonly startedAtMs: number;
  /** Tells a repeat from another start under the same key. */
  readonly inputHash: string;
};

/** What a process' directory says of its life. */
export type ProcessTraces = TreeRoot & {
  /** A keeper has begun. Without `keeper` and `command` it was stopped within its first lines. */
  readonly isClaimed: boolean;
  /** As shells tell it. */
  readonly exit: { readonly status: number; readonly atMs: number } | null;
  /** The agent killed the tree, or was about to. */
  readonly isKilled: boolean;
  readonly lostAtMs: number | null;
};

export type ProcessState =
  | { readonly kind: "running" }
  | {
      readonly kind: "exited";
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly endedAtMs: number;
    }
  | { readonly kind: "lost"; readonly endedAtMs: number };

/** Signals whose default is to do nothing or to stop: nothing ends by them. */
const HARMLESS = new Set([
  "SIGCHLD",
  "SIGCONT",
  "SIGSTOP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGWINCH",
]);

const SIGNAL_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals)
    .filter(([name]) => !HARMLESS.has(name))
    // Of two names of one number the first is the usual one.
    .map(([name, number]) => [number, name] as const)
    .toReversed(),
);

/** A shell's status: 128 and more is a signal where that number is one that ends processes. */
export function toExit(status: number): {
  readonly exitCode: number | null;
  readonly signal: string | null;
} {
  const signal = SIGNAL_NAMES.get(status - 128) ?? null;
  return signal === null ? { exitCode: status, signal } : { exitCode: null, signal };
}

export const KILLED_STATUS = 128 + constants.signals.SIGKILL;

/** Null: it is still open, somebody has to look whether it lives. */
export function endOf({ exit, lostAtMs }: ProcessTraces): ProcessState | null {
  if (exit !== null) return { kind: "exited", ...toExit(exit.status), endedAtMs: exit.atMs };
  return lostAtMs === null ? null : { kind: "lost", endedAtMs: lostAtMs };
}

/** Who lives as long as the process does: first its keeper, then, should that die, the command. */
export function lifeOf({ keeper, command }: TreeRoot): readonly ProcessIdentity[] {
  return [keeper, command].filter((each) => each !== null);
}

/** The same for the same call or key, so that a start that was interrupted finds itself again. */
export function processIdOf(
  { effect, idempotencyKey }: Pick<StartProcess, "effect" | "idempotencyKey">,
  drawn: () => string,
): string {
  if (effect !== null) return `e-${hashOf([effect.chatId, effect.callId]).slice(0, 32)}`;
  if (idempotencyKey !== "") return `k-${hashOf([idempotencyKey]).slice(0, 32)}`;
  return `p-${drawn()}`;
}

export function inputHashOf(input: StartProcess): string {
  return hashOf({ ...input, effect: null });
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** As a person would type it. */
export function toShown(command: StartProcess["command"]): string {
  const text = typeof command === "string" ? command : command.map(toQuoted).join(" ");
  if (text.length <= COMMAND_SHOWN_CHARACTERS_MAX) return text;
  return `${text.slice(0, COMMAND_SHOWN_CHARACTERS_MAX - 1)}…`;
}

function toQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

export function toProcessInfo(
  { id, command, workingDirectory, group, startedAtMs }: StartRecord,
  state: ProcessState,
  pid: number | null,
  outputBytes: ProcessInfo["outputBytes"],
): ProcessInfo {
  const isExited = state.kind === "exited";
  return {
    id,
    command,
    workingDirectory,
    group,
    pid,
    state: state.kind,
    exitCode: isExited ? state.exitCode : null,
    signal: isExited ? state.signal : null,
    startedAt: new Date(startedAtMs).toISOString(),
    endedAt: state.kind === "running" ? null : new Date(state.endedAtMs).toISOString(),
    outputBytes,
  };
}

type Listed = { readonly start: StartRecord; readonly state: ProcessState };

/** Running ones before ended ones, newest first. The id decides between equals. */
export function compareListed(a: Listed, b: Listed): number {
  const isRunning = ({ state }: Listed): number => (state.kind === "running" ? 1 : 0);
  return (
    isRunning(b) - isRunning(a) ||
    b.start.startedAtMs - a.start.startedAtMs ||
    (a.start.id < b.start.id ? -1 : 1)
  );
}

export type EndedProcess = {
  readonly id: string;
  readonly endedAtMs: number;
  readonly keptBytes: number;
};

/** Which ended processes to forget, oldest first: the old, the many, the large. */
export function chooseForgotten(
  ended: readonly EndedProcess[],
  limits: {
    readonly countMax: number;
    readonly bytesMax: number;
    readonly endedAfterMs: number;
  },
): string[] {
  const newestFirst = ended.toSorted((a, b) => b.endedAtMs - a.endedAtMs);
  const forgotten: string[] = [];
  let bytes = 0;
  for (const [i, { id, endedAtMs, keptBytes }] of newestFirst.entries()) {
    bytes += keptBytes;
    if (i >= limits.countMax || bytes > limits.bytesMax || endedAtMs < limits.endedAfterMs) {
      forgotten.push(id);
    }
  }
  return forgotten.toReversed();
}

export function encodeStartRecord(record: StartRecord): string {
  return `${JSON.stringify({ version: 1, ...record })}\n`;
}

/** Null: torn, or of an agent that writes it differently. */
export function parseStartRecord(text: string): StartRecord | null {
  if (!text.endsWith("\n")) return null;
  const value = JSON.parse(text) as StartRecord & { readonly version: number }; // A whole line is ours.
  const { version, id, command, workingDirectory, group, startedAtMs, inputHash } = value;
  return version === 1 ? { id, command, workingDirectory, group, startedAtMs, inputHash } : null;
}
