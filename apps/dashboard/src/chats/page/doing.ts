/** What a chat does at the moment and why it takes time: never that it is busy without a cause. */
import type { ChatView } from "@atelier/contract/chat/chat-view";
import type { ToolCallPart } from "@atelier/contract/chat/message-part";
import { runningCalls } from "@atelier/contract/chat/running-calls";
import { toolLine } from "../transcript/tool-words.ts";

export type DoingContext = {
  readonly now: Date;
  /** As many chats work as may, and this one is not among them. */
  readonly isQueuedForCapacity: boolean;
  /** The workspace's name while it is away; null: it is there, or there is none. */
  readonly absentWorkspace: string | null;
  readonly modelName: string;
};

/** Null: nothing goes on. */
export function doingText(view: ChatView, context: DoingContext): string | null {
  const { status, retry } = view;
  const { now, isQueuedForCapacity, absentWorkspace, modelName } = context;
  if (status === "interrupting") return "Stopping…";
  if (status === "requires_action") return awaitedText(view);
  if (status !== "running") return null;
  if (retry !== null) {
    const leftMs = Date.parse(retry.retrying_at) - now.getTime();
    const when = leftMs > 0 ? ` in ${Math.ceil(leftMs / 1_000)} s` : "";
    return `${retry.error} Attempt ${retry.attempt + 1}${when}…`;
  }
  const last = view.preview?.parts.at(-1);
  if (last?.type === "reasoning" && last.completed_at === undefined) {
    return `Thinking${since(last.created_at, now)}…`;
  }
  const calls = runningCalls(view);
  const [first] = calls;
  if (first !== undefined) {
    if (absentWorkspace !== null && isInWorkspace(first)) {
      return `Waiting for the workspace ${absentWorkspace}, which is not connected${since(first.created_at, now)}…`;
    }
    const { verb, subject } = toolLine(first, false);
    const more = calls.length === 1 ? "" : `, and ${calls.length - 1} more`;
    return `${verb} ${subject}${more}${since(first.created_at, now)}…`;
  }
  if (last?.type === "text") return "Writing…";
  if (isQueuedForCapacity) {
    return "Waiting for a free place: as many agents work as may at once.";
  }
  return `Waiting for ${modelName} to begin${since(view.messages.at(-1)?.created_at, now)}…`;
}

function awaitedText({ awaited }: ChatView): string {
  const names = (awaited ?? []).map(({ tool_name: name }) => name).join(", ");
  return `Waiting for another program to run ${names === "" ? "a tool" : names}.`;
}

const WORKSPACE_TOOLS =
  /^(?:execute|read_file|write_file|edit_files|attach_file|propose_plan|process_\w+)$/;

function isInWorkspace({ tool_name: name }: ToolCallPart): boolean {
  return WORKSPACE_TOOLS.test(name);
}

/** The server's clock may differ from ours. */
function since(time: string | undefined, now: Date): string {
  if (time === undefined) return "";
  const seconds = Math.floor((now.getTime() - Date.parse(time)) / 1_000);
  return seconds < 1
    ? ""
    : `, ${seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`}`;
}
