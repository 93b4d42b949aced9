/** What goes on in a chat at the moment, in one line. Made harmless here. */
import type { ChatView } from "@atelier/contract/chat/chat-view";
import { runningCalls } from "@atelier/contract/chat/running-calls";
import { safe } from "../output/terminal-safe.ts";
import { callText, durationText, lastOutputLine } from "./tool-line.ts";

/** `reconnecting`: since the connection was lost. Empty: nothing goes on. */
export function statusText(view: ChatView, now: Date, reconnecting: boolean): string {
  if (reconnecting) return "The connection is lost; connecting anew…";
  const queued = view.queue.length === 0 ? "" : ` · ${view.queue.length} queued`;
  const doing = doingText(view, now);
  if (doing !== "") return doing + queued;
  return queued === "" ? "" : `${view.queue.length} queued`;
}

function doingText(view: ChatView, now: Date): string {
  const { retry, status } = view;
  if (status === "interrupting") return "Stopping…";
  if (status !== "running") return "";
  if (retry !== null) {
    const leftMs = Date.parse(retry.retrying_at) - now.getTime();
    return leftMs > 0
      ? `Attempt ${retry.attempt + 1} begins in ${Math.ceil(leftMs / 1_000)}s…`
      : `Attempt ${retry.attempt + 1}…`;
  }
  const last = view.preview?.parts.at(-1);
  if (last?.type === "reasoning" && last.completed_at === undefined) {
    return `Thinking… ${since(last.created_at, now)}`;
  }
  const [first, ...others] = runningCalls(view);
  if (first === undefined) return last?.type === "text" ? "Writing…" : "Working…";
  const output = outputOf(view, first.tool_call_id);
  const time = since(first.created_at, now);
  const more = others.length === 0 ? "" : ` +${others.length}`;
  return `▸ ${callText(first)}${more} ${time}${output === "" ? "" : safe`  ${output}`}`;
}

function outputOf(view: ChatView, id: string): string {
  const result = view.preview?.parts.findLast(
    (part) => part.type === "tool-result" && part.tool_call_id === id,
  );
  return result?.type === "tool-result" ? lastOutputLine(result) : "";
}

/** The server's clock may differ from ours. */
function since(time: string | undefined, now: Date): string {
  if (time === undefined) return "";
  return durationText(Math.max(0, now.getTime() - Date.parse(time)));
}
