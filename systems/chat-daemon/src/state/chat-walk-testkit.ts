/** Random steps through a chat's life: the same step can be taken on any storage of it. */
import { fail, type Result } from "@atelier/base/result";
import type { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { openToolCalls } from "../messages/open-tool-calls.ts";
import type { LockedChat, ToolOutcome } from "./chat-machine.ts";
import type { NewMessage, QueuedMessage, StoredMessage, UserMessage } from "./chat-row.ts";
import { TRANSITIONS, type TransitionName } from "./execution-state.ts";

export const WALK_ACTIONS = [
  ...TRANSITIONS,
  "update_queued_message",
  "abandon",
  "acquire",
] as const;
export type WalkAction = TransitionName | "update_queued_message" | "abandon" | "acquire";

export type WalkStep = {
  readonly action: WalkAction;
  /** What else is drawn, whatever the action makes of it. */
  readonly a: number;
  readonly b: number;
  readonly text: string;
};

/** What a step may name: positions become ids by it. */
export type WalkView = {
  /** Those not deleted. */
  readonly messages: readonly StoredMessage[];
  readonly queue: readonly QueuedMessage[];
};

export type WalkPeople = {
  readonly ownerId: string;
  readonly apiKeyIds: readonly (string | null)[];
  readonly modelConfigIds: readonly (string | null)[];
  readonly toolName: string;
};

export function drawStep(draws: SeededDraws, number: number): WalkStep {
  return {
    action: draws.pick(WALK_ACTIONS),
    a: draws.below(1_000),
    b: draws.below(1_000),
    text: `text ${number}`,
  };
}

const EFFORTS = [null, "low", "high"] as const;

export function messageOf(step: WalkStep, people: WalkPeople): UserMessage {
  const { apiKeyIds, modelConfigIds } = people;
  return {
    content: [{ type: "text", text: step.text }],
    createdBy: people.ownerId,
    apiKeyId: apiKeyIds[step.a % apiKeyIds.length] ?? null,
    modelConfigId: modelConfigIds[step.b % modelConfigIds.length] ?? null,
    reasoningEffort: EFFORTS[(step.a + step.b) % EFFORTS.length] ?? null,
  };
}

export function queuedOf(step: WalkStep, view: WalkView): number {
  return view.queue[step.a % (view.queue.length + 1)]?.id ?? -1;
}

export function messageIdOf(step: WalkStep, view: WalkView): number {
  return view.messages[step.a % (view.messages.length + 1)]?.id ?? -1;
}

export async function takeStep(
  chat: LockedChat,
  step: WalkStep,
  view: WalkView,
  people: WalkPeople,
): Promise<Result<unknown, unknown>> {
  const { action } = step;
  switch (action) {
    case "send_message_queue":
      return chat.sendMessage(messageOf(step, people), "queue");
    case "send_message_interrupt":
      return chat.sendMessage(messageOf(step, people), "interrupt");
    case "edit_message":
      return chat.editMessage(messageIdOf(step, view), messageOf(step, people));
    case "delete_queued_message":
      return chat.deleteQueuedMessage(queuedOf(step, view));
    case "update_queued_message":
      return chat.updateQueuedMessage(queuedOf(step, view), {
        ...(step.b % 2 === 0 ? { content: [{ type: "text", text: step.text }] } : {}),
        ...(step.b % 3 === 0 ? { index: step.b % (view.queue.length + 1) } : {}),
      });
    case "promote_queued_message":
      return chat.promoteQueuedMessage(queuedOf(step, view));
    case "interrupt":
      return chat.interrupt("stop");
    case "complete_requires_action":
      return chat.completeRequiresAction(outcomesOf(step, view));
    case "archive":
    case "unarchive":
      return chat.setArchived(action === "archive");
    case "request_compaction":
      return chat.requestCompaction();
    case "clear_context":
      return chat.clearContext(boundaryOf(step));
    case "reconcile_invalid_state":
      return chat.reconcileInvalidState();
    default:
      return takeWorkersStep(chat, step, view, people);
  }
}

async function takeWorkersStep(
  chat: LockedChat,
  step: WalkStep,
  view: WalkView,
  people: WalkPeople,
): Promise<Result<unknown, unknown>> {
  const retry = {
    ...{ attempt: step.a, delay_ms: 5, error: step.text },
    retrying_at: "2026-01-01T00:00:00.000Z",
  };
  switch (step.action) {
    case "commit_step":
      return chat.commitStep(stepRows(step, view, people));
    case "enter_requires_action":
      return chat.enterRequiresAction();
    case "finish_interruption":
      return chat.finishInterruption(step.a % 2 === 0 ? null : partialRows(step, people));
    case "record_generation_attempt":
      return chat.recordGenerationAttempt();
    case "record_retry_state":
      return chat.recordRetryState(retry);
    case "finish_turn":
      return chat.finishTurn();
    case "finish_error":
      return chat.finishError({ message: step.text, retryable: false });
    case "cancel_requires_action":
      return chat.cancelRequiresAction("too late");
    case "abandon":
      return chat.abandon();
    default:
      return fail({ kind: "no_step" });
  }
}

/** The results that are waited for, and in some steps one too many or too few. */
export function outcomesOf(step: WalkStep, view: WalkView): readonly ToolOutcome[] {
  const all = openToolCalls(view.messages).map(({ toolCallId }) => ({
    ...{ toolCallId, output: step.text, isError: step.b % 2 === 0 },
  }));
  if (step.a % 5 === 0) return all.slice(1);
  const [first] = all;
  return step.a % 5 === 1 && first !== undefined ? [...all, first] : all;
}

function stepRows(step: WalkStep, view: WalkView, people: WalkPeople): readonly NewMessage[] {
  const open = openToolCalls(view.messages);
  if (open.length > 0 && step.a % 2 === 0) {
    return open.map(({ toolCallId, toolName }) => ({
      role: "tool",
      content: [
        { type: "tool-result", tool_call_id: toolCallId, tool_name: toolName, result: step.text },
      ],
    }));
  }
  if (open.length === 0 && step.a % 7 === 0) return boundaryOf(step);
  return partialRows(step, people);
}

function partialRows(step: WalkStep, people: WalkPeople): readonly NewMessage[] {
  const calls = Array.from({ length: step.b % 3 }, (_, index) => ({
    type: "tool-call" as const,
    tool_call_id: `${step.text} ${index}`,
    tool_name: (step.a + index) % 3 === 0 ? "read_file" : people.toolName,
    args: { index },
  }));
  const content = [{ type: "text" as const, text: step.text }, ...calls];
  return [{ role: "assistant", content, runtimeMs: step.a }];
}

function boundaryOf(step: WalkStep): readonly NewMessage[] {
  const call = { tool_call_id: `summary ${step.text}`, tool_name: "chat_summarized" };
  return [
    {
      role: "user",
      content: [{ type: "text", text: step.text }],
      visibility: "model",
      compressed: true,
    },
    { role: "assistant", content: [{ type: "tool-call", ...call, args: {} }], compressed: true },
    { role: "tool", content: [{ type: "tool-result", ...call, result: "" }], compressed: true },
  ];
}
