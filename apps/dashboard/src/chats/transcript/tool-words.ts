/** One call of a tool in one line: what is done with what, how long it took, how it went. */
import type { ToolCallPart, ToolResultPart } from "@atelier/contract/chat/message-part";
import { durationText } from "../../ui/relative-time-text.ts";
import { actionWords, callSubject } from "../chat-words.ts";
import { numberIn, textIn } from "./json-fields.ts";
import type { ToolRow } from "./transcript-rows.ts";

export type ToolLine = {
  /** What for, or what is done: `Read`. */
  readonly verb: string;
  /** What it is done with; empty: nothing to name. */
  readonly subject: string;
};

const SUBJECT_CHARACTERS_MAX = 300;

/** What the model says it is for comes first; `isDone`: it is not under way any more. */
export function toolLine(
  call: Pick<ToolCallPart, "tool_name" | "args" | "args_delta">,
  isDone: boolean,
): ToolLine {
  const { tool_name: name, args, args_delta: delta } = call;
  const isWritten = args !== null && args !== undefined;
  const { verb, object } = actionWords(name, isWritten ? callSubject(args) : (delta ?? ""), isDone);
  const said = textIn(args, "model_intent") ?? verb;
  return { verb: capital(said), subject: object.slice(0, SUBJECT_CHARACTERS_MAX) };
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

export type ToolEnd = {
  readonly state: "running" | "done" | "failed" | "background" | "unknown";
  /** `exit 1`, or how it failed. Empty where all is said. */
  readonly words: string;
  /** Null: not known. */
  readonly durationMs: number | null;
};

/** `isBusy`: the chat works, so that what has no result may get one. */
export function toolEnd({ call, result }: ToolRow, isBusy: boolean): ToolEnd {
  if (result === null || result.result_delta !== undefined) {
    return isBusy
      ? { state: "running", words: "", durationMs: null }
      : { state: "unknown", words: "stopped", durationMs: null };
  }
  const durationMs = numberIn(result.result, "wall_duration_ms") ?? between(call, result);
  if (textIn(result.result, "background_process_id") !== null) {
    return { state: "background", words: "in background", durationMs };
  }
  const exitCode = numberIn(result.result, "exit_code");
  if (exitCode !== null && exitCode !== 0) {
    const words = exitCode < 0 ? "did not end well" : `exit ${exitCode}`;
    return { state: "failed", words, durationMs };
  }
  const isFailed = result.is_error === true || errorOf(result) !== null;
  if (isFailed) return { state: "failed", words: "failed", durationMs };
  return { state: "done", words: exitCode === null ? "" : "exit 0", durationMs };
}

/** What the tool says went wrong. */
export function errorOf({ result, is_error: isError }: ToolResultPart): string | null {
  const error = textIn(result, "error");
  if (error !== null) return error;
  return isError === true && typeof result === "string" ? result : null;
}

/** `1.2 s`, and how it went. */
export function endText({ words, durationMs }: ToolEnd): string {
  const parts = [...(words === "" ? [] : [words])];
  if (durationMs !== null) parts.push(durationText(durationMs));
  return parts.join(", ");
}

function between(call: ToolCallPart | null, result: ToolResultPart): number | null {
  if (call?.created_at === undefined || result.created_at === undefined) return null;
  return Math.max(0, Date.parse(result.created_at) - Date.parse(call.created_at));
}

/** What it wrote so far, or in all. Null: it is no such tool. */
export function outputOf(result: ToolResultPart | null): string | null {
  if (result === null) return null;
  if (result.result_delta !== undefined) return result.result_delta;
  return textIn(result.result, "output");
}

/** A result or arguments as people read them. */
export function jsonText(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value, null, 2) ?? "";
}

/** The chat of the agent that a call is about. Null: none. */
export function agentChatOf({ call, result }: ToolRow): string | null {
  const id = textIn(result?.result, "chat_id") ?? textIn(call?.args, "chat_id");
  return id !== null && /^[0-9a-f-]{36}$/i.test(id) ? id : null;
}
