/** Recorded model calls in words for people, the same in the terminal and in the dashboard. */
import type {
  ChatDebugAttempt,
  ChatDebugRun,
  DebugRunKind,
  DebugStatus,
} from "../http/chat-debug.ts";

export const DEBUG_KIND_WORDS: Readonly<Record<DebugRunKind, string>> = {
  chat_turn: "Turn",
  title_generation: "Title",
  quickgen: "Label of a turn",
  compaction: "Summary of the history",
};

export const DEBUG_STATUS_WORDS: Readonly<Record<DebugStatus, string>> = {
  in_progress: "under way",
  completed: "answered",
  error: "failed",
  interrupted: "broken off",
};

export function debugRunTitle({ kind, summary }: Pick<ChatDebugRun, "kind" | "summary">): string {
  return summary.title === "" ? DEBUG_KIND_WORDS[kind] : summary.title;
}

/** `200`, or why there is no status; and what went wrong afterwards. */
export function debugAttemptOutcome({
  status,
  error,
}: Pick<ChatDebugAttempt, "status" | "error">): string {
  if (status === null) return error ?? "no answer yet";
  return error === null ? String(status) : `${status}, ${error}`;
}

/** Null: it goes on. */
export function debugDurationMs({
  started_at: from,
  finished_at: to,
}: Pick<ChatDebugRun, "started_at" | "finished_at">): number | null {
  return to === null ? null : Math.max(0, Date.parse(to) - Date.parse(from));
}
