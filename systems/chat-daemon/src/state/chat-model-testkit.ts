/**
 * What spec agents 2.2–2.6 say of a chat, as rules over what was before and after a step. Written
 * without the table and the plans, and compared with them at every step of a walk.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { isVisible } from "../messages/history-message.ts";
import { openToolCalls, pendingDynamicCalls } from "../messages/open-tool-calls.ts";
import type { StoredMessage } from "./chat-row.ts";
import {
  messageIdOf,
  messageOf,
  outcomesOf,
  queuedOf,
  type WalkAction,
  type WalkPeople,
  type WalkStep,
} from "./chat-walk-testkit.ts";
import type { MemoryState } from "./memory-chat-testkit.ts";

export type Before = { readonly state: MemoryState; readonly step: WalkStep };

/** Undefined: the step is refused, and must change nothing. */
type Expected = { readonly status: string; readonly archived: boolean } | undefined;

export function checkStep(before: Before, after: MemoryState, isDone: boolean, people: WalkPeople) {
  const { state, step } = before;
  const expected = expectedState(state, step, people);
  assert.equal(isDone, expected !== undefined, `${step.action} from ${describe(state)}`);
  if (expected === undefined) {
    assert.deepEqual(after, state);
    return;
  }
  const { row } = after;
  assert.deepEqual({ status: row.status, archived: row.archived }, expected, step.action);
  assert.equal(row.snapshotVersion, state.row.snapshotVersion + 1);
  checkColumns(state, after, step.action);
  checkVersions(state, after);
  checkQueue(before, after, people);
  checkHistory(before, after, people);
}

function expectedState({ row, messages, queue }: MemoryState, step: WalkStep, people: WalkPeople) {
  const { status, archived } = row;
  const to = (next: string, isArchived = false): Expected => ({
    status: next,
    archived: isArchived,
  });
  const unarchived = (states: readonly string[], next: string): Expected =>
    !archived && states.includes(status) ? to(next) : undefined;
  const active = messages.filter(({ deleted }) => !deleted);
  const view = { messages: active, queue };
  const isQueued = queue.some(({ id }) => id === queuedOf(step, view));
  const open = openToolCalls(active);
  const pending = pendingDynamicCalls(open, [{ name: people.toolName }]);
  const sinceBoundary = active.slice(active.findLastIndex(({ compressed }) => compressed) + 1);
  const isBusy = status !== "waiting" && status !== "error";
  switch (step.action) {
    case "send_message_queue":
    case "send_message_interrupt": {
      if (archived || (isBusy && queue.length >= QUEUE_MAX)) return undefined;
      if (!isBusy) return to("running");
      if (step.action === "send_message_queue") return to(status);
      return to(status === "requires_action" ? "running" : "interrupting");
    }
    case "edit_message": {
      const target = active.find(({ id }) => id === messageIdOf(step, view));
      const isEditable = target?.role === "user" && isVisible(target);
      return !archived && isEditable ? to("running") : undefined;
    }
    case "delete_queued_message":
      return !archived && isQueued ? to(status) : undefined;
    case "update_queued_message":
      return isQueued ? to(status, archived) : undefined;
    case "promote_queued_message":
      if (archived || !isQueued) return undefined;
      return to(status === "running" || status === "interrupting" ? "interrupting" : "running");
    case "interrupt":
      return unarchived(["running"], "interrupting") ?? unarchived(["requires_action"], "running");
    case "complete_requires_action": {
      const answered = outcomesOf(step, view).map(({ toolCallId }) => toolCallId);
      const awaited = pending.map(({ toolCallId }) => toolCallId);
      const fits = isDeepStrictEqual(answered.toSorted(), awaited.toSorted());
      return fits ? unarchived(["requires_action"], "running") : undefined;
    }
    case "archive":
      return archived || isBusy ? undefined : to(status, true);
    case "unarchive":
      return archived ? to(status) : undefined;
    case "request_compaction": {
      const hasAnswers = sinceBoundary.some(({ role }) => role === "assistant");
      return hasAnswers ? unarchived(["waiting", "error"], "running") : undefined;
    }
    case "clear_context": {
      const isClearable = queue.length === 0 && sinceBoundary.length > 0;
      return isClearable ? unarchived(["waiting", "error"], "waiting") : undefined;
    }
    case "reconcile_invalid_state":
      return undefined; // A walk never comes into a state that is none.
    case "commit_step":
    case "record_generation_attempt":
    case "record_retry_state":
      return unarchived(["running"], "running");
    case "enter_requires_action":
      return pending.length > 0 ? unarchived(["running"], "requires_action") : undefined;
    case "finish_interruption":
      return unarchived(["interrupting"], queue.length > 0 ? "running" : "waiting");
    case "finish_turn":
      return unarchived(["running"], queue.length > 0 ? "running" : "waiting");
    case "finish_error":
      return unarchived(status === "running" ? ["running"] : ["waiting"], "error");
    case "cancel_requires_action":
      return unarchived(["requires_action"], "running");
    case "abandon":
    case "acquire":
      return to(status, archived);
  }
}

export const QUEUE_MAX = 3;

/** These leave a wish for compaction as it is; sending does where the message only waits. */
const CARRIES_COMPACTION: ReadonlySet<WalkAction> = new Set([
  "archive",
  "unarchive",
  "abandon",
  "acquire",
  "record_generation_attempt",
  "record_retry_state",
  "delete_queued_message",
  "update_queued_message",
]);

function checkColumns(before: MemoryState, { row }: MemoryState, action: WalkAction): void {
  const old = before.row;
  assert.equal(row.lastError === null, row.status !== "error", "an error is of the error state");
  const isWaiting = row.status === "requires_action";
  assert.equal(row.requiresActionDeadlineAt !== null, isWaiting, "a deadline is of waiting");
  const isQueueOnly = action.startsWith("send_message") && row.status === old.status;
  if (action === "request_compaction") {
    assert.ok(row.compactionRequestedAt !== null);
    assert.deepEqual([row.workerId, row.runnerId], [null, null]);
  } else if (CARRIES_COMPACTION.has(action) || isQueueOnly) {
    assert.deepEqual(row.compactionRequestedAt, old.compactionRequestedAt, action);
  } else {
    assert.equal(row.compactionRequestedAt, null, action);
  }
  if (!["request_compaction", "abandon", "acquire"].includes(action)) {
    assert.deepEqual([row.workerId, row.runnerId], [old.workerId, old.runnerId]);
  }
  assert.equal(row.fence, action === "acquire" ? old.fence + 1 : old.fence);
}

function checkVersions(before: MemoryState, after: MemoryState): void {
  const [old, row] = [before.row, after.row];
  const version = row.snapshotVersion;
  const known = new Map(before.messages.map((message) => [message.id, message]));
  const changed = after.messages.filter((message) => known.get(message.id) !== message);
  for (const { revision } of changed) assert.equal(revision, version);
  const isHistoryNew =
    changed.length > 0 || row.compactionRequestedAt !== old.compactionRequestedAt;
  const isAsked = row.compactionRequestedAt !== null && old.compactionRequestedAt === null;
  if (changed.length > 0 || isAsked) assert.equal(row.historyVersion, version);
  if (!isHistoryNew) assert.equal(row.historyVersion, old.historyVersion);
  if (row.historyVersion !== old.historyVersion) assert.equal(row.generationAttempt, 0);
  if (row.generationAttempt !== old.generationAttempt) assert.equal(row.retryState, null);
  assert.equal(row.retryStateVersion === version, row.retryState !== old.retryState);
  assert.equal(row.queueLength, after.queue.length);
}

function checkQueue({ state, step }: Before, after: MemoryState, people: WalkPeople): void {
  const before = state.queue.map(({ id }) => id);
  const now = after.queue.map(({ id }) => id);
  if (step.action === "update_queued_message") {
    assert.deepEqual(new Set(now), new Set(before));
    assert.equal(now.length, before.length);
    return;
  }
  const isSending =
    step.action === "send_message_queue" || step.action === "send_message_interrupt";
  const enters = state.row.status === "waiting" || before.length === 0;
  if (isSending && !(enters && isAtRest(state))) {
    assert.equal(before.includes(now.at(-1) ?? -1), false, "it waits at the end");
    assert.equal(after.queue.at(-1)?.apiKeyId, messageOf(step, people).apiKeyId);
    assert.deepEqual(now.slice(0, -1), isAtRest(state) ? before.slice(1) : before);
    return;
  }
  assert.deepEqual(now, expectedQueue(before, { state, step }, after), step.action);
}

function isAtRest({ row }: MemoryState): boolean {
  return row.status === "waiting" || row.status === "error";
}

function expectedQueue(before: readonly number[], { state, step }: Before, after: MemoryState) {
  const target = queuedOf(step, { messages: [], queue: state.queue });
  const others = before.filter((id) => id !== target);
  if (step.action === "edit_message") return [];
  if (step.action === "delete_queued_message") return others;
  if (step.action === "promote_queued_message") {
    return after.row.status === "running" ? others : [target, ...others];
  }
  const promotesHead = step.action === "finish_turn" || step.action === "finish_interruption";
  return promotesHead ? before.slice(1) : before;
}

function checkHistory({ state, step }: Before, after: MemoryState, people: WalkPeople): void {
  const active = after.messages.filter(({ deleted }) => !deleted);
  // A provider never sees an open call before what a person wrote.
  for (const [at, message] of active.entries()) {
    const isBehindBoundary = !active.slice(at).some(({ compressed }) => compressed);
    if (message.role !== "user" || !isVisible(message) || !isBehindBoundary) continue;
    assert.deepEqual(openToolCalls(active.slice(0, at)), [], step.action);
  }
  checkResultsAreUnique(active);
  if (after.row.status !== "requires_action" && state.row.status === "requires_action") {
    assert.deepEqual(pendingDynamicCalls(openToolCalls(active), [{ name: people.toolName }]), []);
  }
  const entered = after.messages
    .slice(state.messages.length)
    .find((message) => message.role === "user" && isVisible(message));
  const leaving = state.queue.find(({ id }) => !after.queue.some((queued) => queued.id === id));
  if (entered === undefined) {
    assert.equal(after.row.lastModelConfigId, state.row.lastModelConfigId);
    return;
  }
  const isEdit = step.action === "edit_message";
  const source = isEdit ? messageOf(step, people) : (leaving ?? messageOf(step, people));
  assert.deepEqual(entered.content, source.content);
  assert.equal(entered.apiKeyId, source.apiKeyId);
  assert.equal(entered.createdBy, people.ownerId);
  assert.equal(after.row.lastModelConfigId, entered.modelConfigId);
  if (source.modelConfigId !== null) assert.equal(entered.modelConfigId, source.modelConfigId);
  assert.equal(after.row.lastReasoningEffort, entered.reasoningEffort);
  if (source.reasoningEffort !== null) {
    assert.equal(entered.reasoningEffort, source.reasoningEffort);
  }
}

/** Synthetic results come once for each call. Ids of calls are unique in a walk. */
function checkResultsAreUnique(active: readonly StoredMessage[]): void {
  const ids = active.flatMap(({ content }) =>
    content.map((part) => (part.type === "tool-result" ? part.tool_call_id : null)),
  );
  const results = ids.filter((id) => id !== null);
  assert.equal(new Set(results).size, results.length, "a call has one result");
}

function describe({ row, queue }: MemoryState): string {
  return `${row.archived ? "archived " : ""}${row.status}, ${queue.length} queued`;
}
