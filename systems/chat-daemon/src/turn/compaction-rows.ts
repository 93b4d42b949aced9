/** The rows of a boundary: the summary that the model gets, and what people are shown of it. */
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { SUMMARY_PREFIX } from "../prompt/built-in-prompt.ts";
import type { HistoryRow } from "../prompt/history-row.ts";
import type { NewMessage } from "../state/chat-row.ts";
import type { ContextUsage } from "./compaction-need.ts";

/** No tool of the model's: the name under which people see that history was summed up. */
export const SUMMARY_TOOL = "chat_summarized";

const CONTINUE = "Continue with the next action.";

export type Compaction = {
  readonly source: "automatic" | "manual";
  readonly thresholdPercent: number;
  /** Null: nothing has been reported, or the limit is unknown. */
  readonly usage: ContextUsage | null;
};

/** As it is shown while the summary is being written. */
export function summaryCall(callId: string, { source, thresholdPercent }: Compaction): MessagePart {
  return {
    ...{ type: "tool-call", tool_call_id: callId, tool_name: SUMMARY_TOOL },
    args: { source, threshold_percent: thresholdPercent },
  };
}

/**
 * The boundary, then the user's messages that nothing has answered yet, for the model alone: people see
 * them where they were written. `hasMoreToDo`: the work goes on after it.
 */
export function boundaryRows(
  summary: string,
  boundary: {
    readonly callId: string;
    readonly compaction: Compaction;
    readonly unanswered: readonly HistoryRow[];
    readonly hasMoreToDo: boolean;
    readonly modelConfigId: string;
  },
): readonly NewMessage[] {
  const { callId, compaction, modelConfigId } = boundary;
  const forPeople = { visibility: "user", compressed: true, modelConfigId } as const;
  const repeated = boundary.unanswered.map(({ content }): NewMessage => ({
    role: "user",
    content,
    visibility: "model",
  }));
  const goOn: NewMessage = {
    ...{ role: "user", visibility: "model" },
    content: [{ type: "text", text: CONTINUE }],
  };
  return [
    {
      ...{ role: "user", visibility: "model", compressed: true, modelConfigId },
      content: [{ type: "text", text: SUMMARY_PREFIX + summary }],
    },
    { role: "assistant", content: [summaryCall(callId, compaction)], ...forPeople },
    { role: "tool", content: [summaryResult(summary, callId, compaction)], ...forPeople },
    ...(boundary.hasMoreToDo && repeated.length === 0 ? [goOn] : repeated),
  ];
}

function summaryResult(summary: string, callId: string, compaction: Compaction): MessagePart {
  const { source, thresholdPercent, usage } = compaction;
  return {
    ...{ type: "tool-result", tool_call_id: callId, tool_name: SUMMARY_TOOL },
    result: {
      ...{ summary, source, threshold_percent: thresholdPercent },
      ...(usage !== null && {
        usage_percent: Math.round(usage.usagePercent * 10) / 10,
        context_tokens: usage.contextTokens,
        context_limit_tokens: usage.contextLimit,
      }),
    },
  };
}
