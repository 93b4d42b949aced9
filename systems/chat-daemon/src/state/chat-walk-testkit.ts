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

type Take = (
  chat: LockedChat,
  step: WalkStep,
  view: WalkView,
  people: WalkPeople,
) => Promise<Result<unknown, unknown>>;

export const takeStep: Take = (chat, step, view, people) =>
  TAKE[step.action](chat, step, view, people);

const TAKE: Readonly<Record<WalkAction, Take>> = {
  send_message_queue: (chat, step, _, people) => chat.sendMessage(messageOf(step, people), "queue"),
  send_message_interrupt: (chat, step, _, people) =>
    chat.sendMessage(messageOf(step, people), "interrupt"),
  edit_message: (chat, step, view, people) =>
    chat.editMessage(messageIdOf(step, view), messageOf(step, people)),
  delete_queued_message: (chat, step, view) => chat.deleteQueuedMessage(queuedOf(step, view)),
  update_queued_message: (chat, step, view) =>
    chat.updateQueuedMessage(queuedOf(step, view), {
      ...(step.b % 2 === 0 ? { content: [{ type: "text", text: step.text }] } : {}),
      ...(step.b % 3 === 0 ? { index: step.b % (view.queue.length + 1) } : {}),
    }),
  promote_queued_message: (chat, step, view) => chat.promoteQueuedMessage(queuedOf(step, view)),
  interrupt: (chat) => chat.interrupt("stop"),
  complete_requires_action: (chat, step, view) =>
    chat.completeRequiresAction(outcomesOf(step, view)),
  archive: (chat) => chat.setArchived(true),
  unarchive: (chat) => chat.setArchived(false),
  request_compaction: (chat) => chat.requestCompaction(),
  clear_context: (chat, step) => chat.clearContext(boundaryOf(step)),
  reconcile_invalid_state: (chat) => chat.reconcileInvalidState(),
  commit_step: (chat, step, view, people) => chat.commitStep(stepRows(step, view, people)),
  enter_requires_action: (chat) => chat.enterRequiresAction(),
  finish_interruption: (chat, step, _, people) =>
    chat.finishInterruption(step.a % 2 === 0 ? null : partialRows(step, people)),
  record_generation_attempt: (chat) => chat.recordGenerationAttempt(),
  record_retry_state: (chat, { a, text }) =>
    chat.recordRetryState({
      ...{ attempt: a, delay_ms: 5, error: text },
      retrying_at: "2026-01-01T00:00:00.000Z",
    }),
  finish_turn: (chat) => chat.finishTurn(),
  finish_error: (chat, { text }) => chat.finishError({ message: text, retryable: false }),
  cancel_requires_action: (chat) => chat.cancelRequiresAction("too late"),
  abandon: (chat) => chat.abandon(),
  // Not of a locked chat.
  acquire: async () => Promise.resolve(fail({ kind: "no_step" })),
};

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
