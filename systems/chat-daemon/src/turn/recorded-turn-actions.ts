/** The calls of turns, as they are recorded: which run and step each belongs to, and what became of it. */
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import type { DebugOperation } from "@atelier/contract/http/chat-debug";
import type { DebugAnswer, DebugCall, DebugRecorder } from "../debug-runs/debug-recorder.ts";
import { recordCall } from "../debug-runs/record-call-actions.ts";
import type { HistoryRow } from "../prompt/history-row.ts";
import type { ChatRow } from "../state/chat-row.ts";
import { personsMessage } from "./decision.ts";
import { classifyModelError } from "./model-error.ts";
import type { StepParts } from "./step-parts.ts";
import { toStepUsage } from "./step-usage.ts";
import type { TurnModel } from "./turn-deps.ts";

/** The chat as it was when the call was made. */
export type RecordedChat = {
  readonly chat: ChatRow;
  readonly rows: readonly HistoryRow[];
  /** Null: it is not known yet. */
  readonly attempt: number | null;
};

export type TurnCall = {
  readonly model: TurnModel;
  readonly options: LanguageModelV4CallOptions;
  readonly operation: DebugOperation;
  readonly signal: AbortSignal;
} & (
  | { readonly purpose: "answer" | "summary" }
  | { readonly purpose: "advice"; readonly toolCallId: string }
);

export function recordTurnCall<Value>(
  recorder: DebugRecorder,
  recorded: RecordedChat,
  call: TurnCall,
  work: {
    readonly run: () => Promise<Value>;
    readonly answerOf: (value: Value) => DebugAnswer;
  },
): Promise<Value> {
  const { model, signal } = call;
  return recordCall(recorder, model.tap, {
    call: () => toDebugCall(recorded, call),
    work: work.run,
    answerOf: work.answerOf,
    errorOf: (error) => classifyModelError(error, model.provider).error,
    signal,
  });
}

export function streamedAnswer(step: StepParts): DebugAnswer {
  return {
    response: {
      content: step.parts(),
      finish_reason: step.end?.reason ?? null,
      response_id: step.responseId,
    },
    usage: step.end === null ? null : toUsage(step.end.usage),
  };
}

export function generatedAnswer({
  content,
  finishReason,
  usage,
  response,
}: LanguageModelV4GenerateResult): DebugAnswer {
  return {
    response: {
      content,
      finish_reason: finishReason.unified,
      response_id: response?.id ?? null,
    },
    usage: toUsage(usage),
  };
}

/** As the API says it. */
export function toUsage(usage: LanguageModelV4Usage): NonNullable<DebugAnswer["usage"]> {
  const step = toStepUsage(usage, null);
  const named = {
    input_tokens: step.inputTokens,
    output_tokens: step.outputTokens,
    total_tokens: step.totalTokens,
    reasoning_tokens: step.reasoningTokens,
    cache_creation_tokens: step.cacheCreationTokens,
    cache_read_tokens: step.cacheReadTokens,
  };
  return Object.fromEntries(Object.entries(named).filter(([, count]) => count !== null));
}

function toDebugCall({ chat, rows, attempt }: RecordedChat, call: TurnCall): DebugCall {
  const { model, options, operation, purpose } = call;
  const { abortSignal: _signal, ...request } = options;
  const asked = personsMessage(rows);
  const isSummary = purpose === "summary";
  const step = purpose === "advice" ? `advice ${call.toolCallId}` : purpose;
  return {
    chat: { id: chat.id, rootChatId: chat.rootChatId, parentChatId: chat.parentChatId },
    kind: isSummary ? "compaction" : "chat_turn",
    // What is summed up anew is another summary, also within one turn.
    runKey: isSummary || asked === null ? `history ${chat.historyVersion}` : String(asked.id),
    stepKey: `${step} ${chat.historyVersion}`,
    title: isSummary || asked === null ? "" : textOf(asked),
    operation,
    provider: model.provider,
    model: model.model.modelId,
    modelConfigId: model.configId,
    triggerMessageId: asked?.id ?? null,
    historyTipMessageId: rows.at(-1)?.id ?? null,
    request,
    metadata: {
      purpose,
      history_version: chat.historyVersion,
      ...(attempt !== null && { generation_attempt: attempt }),
    },
  };
}

function textOf({ content }: HistoryRow): string {
  return content.find((part) => part.type === "text")?.text ?? "";
}
