/** Processes of a workspace in words, and their output as a page can show it. */
import type { CallAnswer } from "@atelier/contract/client";
import type { listWorkspaceProcesses } from "@atelier/contract/http/workspace-processes";
import type { Tone } from "../../ui/badge.tsx";

export type ProcessView = CallAnswer<typeof listWorkspaceProcesses>["processes"][number];

export function processState(process: ProcessView): {
  readonly tone: Tone;
  readonly words: string;
} {
  const { state, exit_code: exitCode, signal } = process;
  if (state === "running") return { tone: "accent", words: "running" };
  if (state === "lost") return { tone: "warn", words: "lost" };
  if (signal !== null) return { tone: "warn", words: `ended by ${signal}` };
  return exitCode === 0
    ? { tone: "good", words: "done" }
    : { tone: "bad", words: `exit ${exitCode ?? "unknown"}` };
}

/** What is kept on the page: a program may write for days. */
export const SHOWN_CHARACTERS_MAX = 256 * 1024;

export type Output = {
  readonly text: string;
  /** Something before the text is not shown. */
  readonly isCut: boolean;
};

/** With more at its end; what is too long loses whole lines at its beginning. */
export function withMore({ text, isCut }: Output, more: string): Output {
  const whole = text + more;
  if (whole.length <= SHOWN_CHARACTERS_MAX) return { text: whole, isCut };
  const from = whole.indexOf("\n", whole.length - SHOWN_CHARACTERS_MAX) + 1;
  return { text: whole.slice(from === 0 ? -SHOWN_CHARACTERS_MAX : from), isCut: true };
}

/** Sequences that move cursors and set colours: they mean nothing on a page. */
// oxlint-disable-next-line no-control-regex
const ESCAPES = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g;

/** As lines: of what a program wrote over with carriage returns, the last is shown. */
export function plainText(text: string): string {
  return text
    .replaceAll(ESCAPES, "")
    .replaceAll("\r\n", "\n")
    .replaceAll(/[^\n]*\r(?!\n|$)/g, "");
}
