/**
 * What each transition writes: pure, and the same for every place where chats are kept. Whether it is
 * allowed is asked of the table before. Source: spec agents 2.3–2.5.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ChatError, ChatRetry } from "@atelier/contract/chat/chat-words";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { cancelledResult, type OpenToolCall } from "../messages/open-tool-calls.ts";
import type { BusyBehavior, ToolOutcome, TransitionFailure } from "./chat-machine.ts";
import type { ChatRow, NewMessage, QueuedMessage, StoredMessage, UserMessage } from "./chat-row.ts";

/** Columns of the chat that the transition sets. Versions and the queue's length follow by themselves. */
export type ChatPatch = Partial<
  Pick<
    ChatRow,
    | "status"
    | "archived"
    | "lastError"
    | "workerId"
    | "runnerId"
    | "generationAttempt"
    | "retryState"
    | "requiresActionDeadlineAt"
    | "compactionRequestedAt"
    | "lastModelConfigId"
    | "lastReasoningEffort"
    | "pinOrder"
  >
>;

export type QueueWrite =
  | { readonly kind: "append"; readonly message: UserMessage }
  | { readonly kind: "remove"; readonly queuedId: number }
  | { readonly kind: "clear" }
  | { readonly kind: "move_first"; readonly queuedId: number };

/** Carried out in this order: deletion, queue, insertion, the chat's own columns. */
export type Plan = {
  readonly deleteMessagesFrom?: number;
  readonly queue?: readonly QueueWrite[];
  readonly messages?: readonly NewMessage[];
  readonly patch: ChatPatch;
};

/** What client tools have to answer within (spec agents 2.3). */
export const REQUIRES_ACTION_MS_MAX = 5 * 60_000;

const CLOSED_BY_MESSAGE = "The tool call was cancelled: a new message came before its result.";
const RUNS = { status: "running", lastError: null, compactionRequestedAt: null } as const;
const LEAVES_ACTION = { ...RUNS, requiresActionDeadlineAt: null } as const;

/** A message of a person, with the model that will answer it. */
export type Entering = UserMessage & { readonly modelConfigId: string };

/** Puts what a person wrote behind the history, and starts the work. */
export function planEntering(
  row: ChatRow,
  message: Entering,
  open: readonly OpenToolCall[],
): Pick<Required<Plan>, "messages" | "patch"> {
  const reasoningEffort = message.reasoningEffort ?? row.lastReasoningEffort;
  const entered: NewMessage = {
    role: "user",
    content: message.content,
    createdBy: message.createdBy,
    apiKeyId: message.apiKeyId,
    modelConfigId: message.modelConfigId,
    reasoningEffort,
  };
  return {
    messages: [...cancellations(open, CLOSED_BY_MESSAGE), entered],
    patch: {
      ...LEAVES_ACTION,
      lastModelConfigId: message.modelConfigId,
      lastReasoningEffort: reasoningEffort,
    },
  };
}

/** One row for each call, as results of tools have. */
export function cancellations(
  open: readonly OpenToolCall[],
  reason: string,
): readonly NewMessage[] {
  return open.map((call) => toolRow(cancelledResult(call, reason)));
}

/** Of a chat that is busy: whatever it does, the message waits in the queue. */
export function planQueueing(
  row: ChatRow,
  message: UserMessage,
  { busy, pending }: { readonly busy: BusyBehavior; readonly pending: readonly OpenToolCall[] },
): Plan {
  const queue = [{ kind: "append", message }] as const;
  if (busy === "queue" || row.status === "interrupting") return { queue, patch: {} };
  if (row.status === "requires_action") {
    return { queue, messages: cancellations(pending, CLOSED_BY_MESSAGE), patch: LEAVES_ACTION };
  }
  return { queue, patch: { status: "interrupting", compactionRequestedAt: null } };
}

/** The head of the queue enters the history. */
export function planPromotion(
  row: ChatRow,
  { queued, modelConfigId }: { readonly queued: QueuedMessage; readonly modelConfigId: string },
  open: readonly OpenToolCall[],
): Plan & Pick<Required<Plan>, "queue" | "messages"> {
  return {
    queue: [{ kind: "remove", queuedId: queued.id }],
    ...planEntering(row, { ...queued, modelConfigId }, open),
  };
}

/** It stays in the queue, and enters when the work has stopped. */
export function planReorder(queuedId: number): Plan {
  return {
    queue: [{ kind: "move_first", queuedId }],
    patch: { status: "interrupting", compactionRequestedAt: null },
  };
}

export function planEdit(row: ChatRow, original: StoredMessage, replacement: UserMessage): Plan {
  const message: Entering = {
    ...replacement,
    modelConfigId: replacement.modelConfigId ?? original.modelConfigId ?? row.lastModelConfigId,
    reasoningEffort: replacement.reasoningEffort ?? original.reasoningEffort,
  };
  // Calls that are open stand behind what a person wrote last, so they go with it.
  return {
    deleteMessagesFrom: original.id,
    queue: [{ kind: "clear" }],
    ...planEntering(row, message, []),
  };
}

export function planInterrupt(
  row: ChatRow,
  pending: readonly OpenToolCall[],
  reason: string,
): Plan {
  if (row.status === "requires_action") return planCancelledAction(pending, reason);
  return { patch: { status: "interrupting", compactionRequestedAt: null } };
}

export function planCancelledAction(pending: readonly OpenToolCall[], reason: string): Plan {
  return { messages: cancellations(pending, reason), patch: LEAVES_ACTION };
}

export function planCompletedAction(
  pending: readonly OpenToolCall[],
  outcomes: readonly ToolOutcome[],
): Result<Plan, TransitionFailure> {
  const byId = new Map(outcomes.map((outcome) => [outcome.toolCallId, outcome]));
  const mismatch = (detail: string): Result<Plan, TransitionFailure> =>
    fail({ kind: "results_mismatch", detail });
  if (byId.size < outcomes.length) return mismatch("a tool call has several results");
  const messages: NewMessage[] = [];
  for (const { toolCallId, toolName } of pending) {
    const outcome = byId.get(toolCallId);
    if (outcome === undefined) return mismatch(`no result for tool call ${toolCallId}`);
    messages.push(
      toolRow({
        type: "tool-result",
        tool_call_id: toolCallId,
        tool_name: toolName,
        result: outcome.output,
        ...(outcome.isError ? { is_error: true } : {}),
      }),
    );
    byId.delete(toolCallId);
  }
  const [unknown] = byId.keys();
  if (unknown !== undefined) return mismatch(`tool call ${unknown} waits for no result`);
  return ok({ messages, patch: LEAVES_ACTION });
}

export function planArchived(archived: boolean): Plan {
  return { patch: archived ? { archived, pinOrder: 0 } : { archived } };
}

export function planCompactionRequest(now: Date): Plan {
  // Nobody's: its last runner would see nothing new in the history, and sleep on.
  return { patch: { ...RUNS, compactionRequestedAt: now, workerId: null, runnerId: null } };
}

export function planClearedContext(messages: readonly NewMessage[]): Plan {
  return {
    messages,
    patch: { status: "waiting", lastError: null, compactionRequestedAt: null },
  };
}

export function planReconciliation(pending: readonly OpenToolCall[]): Plan {
  return {
    messages: cancellations(pending, "The tool call was cancelled: the chat had to be repaired."),
    patch: {
      archived: false,
      status: "error",
      lastError: {
        message:
          "The chat was in an inconsistent state. Send a message or edit one to go on with it.",
        kind: "generic",
        retryable: false,
      },
      requiresActionDeadlineAt: null,
      compactionRequestedAt: null,
    },
  };
}

export function planStep(messages: readonly NewMessage[]): Plan {
  return { messages, patch: { compactionRequestedAt: null } };
}

export function planAwaitedAction(now: Date): Plan & { readonly deadlineAt: Date } {
  const deadlineAt = new Date(now.getTime() + REQUIRES_ACTION_MS_MAX);
  return {
    deadlineAt,
    patch: {
      status: "requires_action",
      requiresActionDeadlineAt: deadlineAt,
      compactionRequestedAt: null,
    },
  };
}

export function planAttempt(row: ChatRow): Plan {
  return { patch: { generationAttempt: row.generationAttempt + 1 } };
}

export function planRetry(retry: ChatRetry): Plan {
  return { patch: { retryState: retry } };
}

/** Nothing waits: the chat rests. */
export function planRest(messages: readonly NewMessage[]): Plan {
  return { messages, patch: { status: "waiting", compactionRequestedAt: null } };
}

export function planError(error: ChatError): Plan {
  return { patch: { status: "error", lastError: error, compactionRequestedAt: null } };
}

export function planAbandonment(): Plan {
  return { patch: { workerId: null, runnerId: null } };
}

/** Whether people's lists show the chat as changed: not by counters of attempts, nor by who drives it. */
export function isNews(patch: ChatPatch): boolean {
  return !("generationAttempt" in patch || "retryState" in patch || isAbandonment(patch));
}

function isAbandonment(patch: ChatPatch): boolean {
  return "runnerId" in patch && !("status" in patch);
}

function toolRow(result: MessagePart): NewMessage {
  return { role: "tool", content: [result] };
}
