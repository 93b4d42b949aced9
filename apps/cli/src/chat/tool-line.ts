/** One call of a tool, as people read it: what for, what, how long, how it went. Made harmless here. */
import type {
  MessagePart,
  ToolCallPart,
  ToolResultPart,
} from "@atelier/contract/chat/message-part";
import { terminalSafe } from "../output/terminal-safe.ts";

const COMMAND_LENGTH_MAX = 160;
/** The input of a call in which the model says what it is for. */
const INTENT = "model_intent";

/** Tools that the chat itself writes into its history, to say what happened to it. */
const SUMMARY_TOOL = "chat_summarized";
const CLEAR_TOOL = "chat_cleared";

/** Of a mark in the history, such as a summary; null for a tool. */
export function historyMark(result: ToolResultPart): string | null {
  if (result.tool_name === CLEAR_TOOL) return "The context is empty from here on.";
  if (result.tool_name !== SUMMARY_TOOL) return null;
  const percent = numberIn(result.result, "usage_percent");
  const tokens = numberIn(result.result, "context_tokens");
  const used = [
    ...(percent === null ? [] : [`${percent}% of the context`]),
    ...(tokens === null ? [] : [`${tokens} tokens`]),
  ].join(", ");
  return `The history so far is summed up${used === "" ? "" : ` (it took ${used})`}.`;
}

/** What for where the model said so, else its name: `Running the tests  npm test`. */
export function callText(call: ToolCallPart): string {
  const intent = textIn(call.args, INTENT);
  const what = cut(terminalSafe(subjectOf(call)));
  const named = [terminalSafe(call.tool_name), what];
  // A command is seen to be one; what other tools are called says with what the intent is followed.
  const shown =
    intent === null
      ? named
      : [capital(terminalSafe(intent)), ...(call.tool_name === "execute" ? [what] : named)];
  return shown.filter((text) => text !== "").join("  ");
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

export type ToolEnd = { readonly isFailed: boolean; readonly text: string };

/** `2.3s, exit 1`, or the error. */
export function resultText(call: ToolCallPart | null, result: ToolResultPart): ToolEnd {
  const exitCode = numberIn(result.result, "exit_code");
  const error =
    textIn(result.result, "error") ??
    (result.is_error === true && typeof result.result === "string" ? result.result : null);
  const durationMs = numberIn(result.result, "wall_duration_ms") ?? between(call, result);
  const background = textIn(result.result, "background_process_id");
  const parts = [
    ...(durationMs === null ? [] : [durationText(durationMs)]),
    ...(background !== null ? ["goes on in the background"] : []),
    ...(exitCode !== null && background === null ? [`exit ${exitCode}`] : []),
    ...(error === null ? [] : [cut(terminalSafe(error))]),
  ];
  const isFailed =
    result.is_error === true || error !== null || (exitCode !== null && exitCode !== 0);
  return { isFailed, text: parts.join(", ") };
}

/** The last line that a running tool has written; empty when there is none. */
export function lastOutputLine(result: ToolResultPart): string {
  const lines = (result.result_delta ?? "").split(/\r\n|[\r\n]/).filter((line) => line.trim());
  return terminalSafe(lines.at(-1) ?? "");
}

/** What the model asks the person, one line each. */
export function questionLines(call: ToolCallPart): readonly string[] {
  if (call.tool_name !== "ask_user_question") return [];
  const questions = listIn(call.args, "questions");
  return questions.flatMap((each) => [
    terminalSafe(textIn(each, "question") ?? ""),
    ...listIn(each, "options").map((option) => {
      const description = textIn(option, "description");
      const label = textIn(option, "label") ?? "";
      return terminalSafe(`  - ${label}${description === null ? "" : `: ${description}`}`);
    }),
  ]);
}

export function durationText(durationMs: number): string {
  const seconds = Math.max(0, durationMs) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, "0")}s`;
}

/** Null: times are missing. */
export function between(
  begin: { readonly created_at?: string | undefined } | null,
  end: { readonly created_at?: string | undefined },
): number | null {
  if (begin?.created_at === undefined || end.created_at === undefined) return null;
  return Date.parse(end.created_at) - Date.parse(begin.created_at);
}

/** Results by the id of their call; the last one counts. */
export function callOf(parts: readonly MessagePart[], id: string): ToolCallPart | null {
  const found = parts.findLast(
    (part): part is ToolCallPart => part.type === "tool-call" && part.tool_call_id === id,
  );
  return found ?? null;
}

/** What people recognise the call by: its command, its path, or else its arguments. */
function subjectOf({ args, args_delta: delta }: ToolCallPart): string {
  if (args === null || args === undefined) return delta ?? "";
  for (const key of ["command", "path", "query", "url", "process_id", "name", "title"]) {
    const text = textIn(args, key);
    if (text !== null) return text;
  }
  const paths = listIn(args, "edits").map((edit) => textIn(edit, "path") ?? "");
  if (paths.length > 0) return [...new Set(paths)].join(" ");
  if (listIn(args, "questions").length > 0) return "";
  const { [INTENT]: _intent, ...rest } = args as Readonly<Record<string, unknown>>;
  const json = JSON.stringify(typeof args === "object" && !Array.isArray(args) ? rest : args);
  return json === "{}" ? "" : json;
}

function cut(text: string): string {
  return text.length > COMMAND_LENGTH_MAX ? `${text.slice(0, COMMAND_LENGTH_MAX - 1)}…` : text;
}

function fieldIn(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

function textIn(value: unknown, key: string): string | null {
  const field = fieldIn(value, key);
  return typeof field === "string" && field !== "" ? field : null;
}

function numberIn(value: unknown, key: string): number | null {
  const field = fieldIn(value, key);
  return typeof field === "number" ? field : null;
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const field = fieldIn(value, key);
  return Array.isArray(field) ? field : [];
}
