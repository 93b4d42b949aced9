/**
 * The states of a chat's execution, and which transition leads where: the table of spec agents 2.4 as
 * data. What it does not list is refused.
 */
import type { ChatStatus } from "@atelier/contract/chat/chat-words";

/** 0: nothing waits in the queue, 1: something does. X: archived. */
export const EXECUTION_STATES = [
  "W",
  "E0",
  "E1",
  "R0",
  "R1",
  "I0",
  "I1",
  "A0",
  "A1",
  "XW",
  "XE0",
  "XE1",
  "invalid",
] as const;
/** N, which is no chat yet, has no row: `create` leads from it to R0. */
export type ExecutionState = (typeof EXECUTION_STATES)[number];

export const TRANSITIONS = [
  "send_message_queue",
  "send_message_interrupt",
  "edit_message",
  "delete_queued_message",
  "promote_queued_message",
  "interrupt",
  "complete_requires_action",
  "archive",
  "unarchive",
  "request_compaction",
  "clear_context",
  "reconcile_invalid_state",
  "commit_step",
  "enter_requires_action",
  "finish_interruption",
  "record_generation_attempt",
  "record_retry_state",
  "finish_turn",
  "finish_error",
  "cancel_requires_action",
] as const;
export type TransitionName = (typeof TRANSITIONS)[number];

export function executionStateOf(chat: {
  readonly status: ChatStatus;
  readonly archived: boolean;
  readonly queueLength: number;
}): ExecutionState {
  const { status, archived, queueLength } = chat;
  const isQueued = queueLength > 0;
  if (status === "waiting") {
    if (isQueued) return "invalid";
    return archived ? "XW" : "W";
  }
  if (status === "error") {
    if (archived) return isQueued ? "XE1" : "XE0";
    return isQueued ? "E1" : "E0";
  }
  if (archived) return "invalid";
  const letter = status === "running" ? "R" : status === "interrupting" ? "I" : "A";
  return `${letter}${isQueued ? 1 : 0}`;
}

/** Somebody drives the chat, or is to. */
export function isAtWork(status: ChatStatus): boolean {
  return status !== "waiting" && status !== "error";
}
