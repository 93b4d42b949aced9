/** What of a workspace's processes is shown as a log: its lines, and one line about each process. Pure. */
import type { ProcessInfo } from "@atelier/contract/rpc/workspace/processes";
import { relativeTime } from "./output/relative-time.ts";
import { terminalSafe } from "./output/terminal-safe.ts";

/** As much as tells processes of one workspace apart; `--process` takes it. */
const SHORT_ID_LENGTH = 8;

/** Colours, which a terminal may have, but not the marks of other control sequences. */
// oxlint-disable-next-line no-control-regex -- That is what they begin with.
const COLORS = /\u001b\[[0-9;:]*m/g;

export function shortId(id: string): string {
  return id.slice(0, SHORT_ID_LENGTH);
}

/** `exited 1`, `ended by SIGKILL`, `running`. */
export function stateText({ state, exitCode, signal }: ProcessInfo): string {
  if (state === "running") return "running";
  if (state === "lost") return "lost: the machine stopped while it ran";
  return exitCode === null ? `ended by ${signal ?? "a signal"}` : `exited ${exitCode}`;
}

/** `3f2a9c11  exited 1  began 3m ago, ran 12s  npm test`. */
export function processLine(process: ProcessInfo, now: Date): string {
  const began = `began ${relativeTime(process.startedAt, now)}`;
  const ran =
    process.endedAt === null
      ? ""
      : `, ran ${durationText(Date.parse(process.endedAt) - Date.parse(process.startedAt))}`;
  const command = terminalSafe(process.command);
  return `${shortId(process.id)}  ${stateText(process)}  ${began}${ran}  ${command}`;
}

export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}h${minutes}m` : `${minutes}m${seconds % 60}s`;
}

/** A line as people read it: without colours, and of one that wrote over itself what stands there last. */
export function shownLine(line: string): string {
  const parts = line.replaceAll(COLORS, "").split("\r");
  return terminalSafe(parts.findLast((part) => part !== "") ?? "");
}

/** The last lines of a text that may be the end of a longer one. */
export function lastLines(text: string, count: number): readonly string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(-count);
}

/** Cuts output into lines as it comes; what waits for its line's end is given by `end`. */
export class LineCutter {
  readonly #decoder = new TextDecoder();
  #rest = "";

  push(bytes: Uint8Array): readonly string[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }

  end(): readonly string[] {
    const rest = this.#rest;
    this.#rest = "";
    return rest === "" ? [] : [rest];
  }
}

/** The one whose id begins so. Null: none, or several. */
export function findProcess(processes: readonly ProcessInfo[], prefix: string): ProcessInfo | null {
  const found = processes.filter(({ id }) => id === prefix || id.startsWith(prefix));
  return found.find(({ id }) => id === prefix) ?? (found.length === 1 ? (found[0] ?? null) : null);
}
