/**
 * Makes rows of a history that every provider takes: each of our calls is followed by exactly one
 * result, no result stands without its call, and what a provider ran itself is whole or left out.
 *
 * The machine answers every call before anything else enters the history, so this mends what older
 * versions or broken streams left behind; on a whole history it changes nothing.
 */
import type {
  MessagePart,
  ToolCallPart,
  ToolResultPart,
} from "@atelier/contract/chat/message-part";
import { localCallsOf, type HistoryRow } from "./history-row.ts";

export type PromptMessageRow = Pick<HistoryRow, "role" | "content" | "modelConfigId">;

const LOST_RESULT = "The outcome of this call was not recorded.";

export function repairRows(rows: readonly HistoryRow[]): readonly PromptMessageRow[] {
  const repaired: PromptMessageRow[] = [];
  for (const [index, row] of rows.entries()) {
    // Results follow their calls, below.
    if (row.role === "tool") continue;
    if (row.role !== "assistant") {
      repaired.push(row);
      continue;
    }
    const calls = withoutDoubles(localCallsOf(row));
    const content = wholeParts(row.content, calls);
    if (content.length > 0) repaired.push({ ...row, content });
    if (calls.length > 0) {
      const results = calls.map((call) => resultOf(rows, index, call));
      repaired.push({ role: "tool", content: results, modelConfigId: null });
    }
  }
  return repaired;
}

/** Between the call's row and the next that uses its id: some providers count from 0 in each answer. */
function resultOf(rows: readonly HistoryRow[], index: number, call: ToolCallPart): ToolResultPart {
  for (let behind = index + 1; behind < rows.length; behind += 1) {
    const row = rows[behind];
    if (row === undefined) break;
    const isReused = localCallsOf(row).some((other) => other.tool_call_id === call.tool_call_id);
    if (isReused) break;
    if (row.role !== "tool") continue;
    const found = row.content.find(
      (part): part is ToolResultPart =>
        part.type === "tool-result" && part.tool_call_id === call.tool_call_id,
    );
    if (found !== undefined) return found;
  }
  return {
    ...{ type: "tool-result", tool_call_id: call.tool_call_id, tool_name: call.tool_name },
    ...{ result: LOST_RESULT, is_error: true },
  };
}

function withoutDoubles(calls: readonly ToolCallPart[]): readonly ToolCallPart[] {
  return calls.filter(
    (call, index) => index === calls.findIndex(({ tool_call_id: id }) => id === call.tool_call_id),
  );
}

/** Without doubled calls, and without calls and results of the provider's that miss the other. */
function wholeParts(
  content: readonly MessagePart[],
  localCalls: readonly ToolCallPart[],
): readonly MessagePart[] {
  const kept = new Set<MessagePart>(localCalls);
  const ids = (type: MessagePart["type"]): ReadonlySet<string> =>
    new Set(
      content.flatMap((part) =>
        part.type === type && "tool_call_id" in part && part.provider_executed === true
          ? [part.tool_call_id]
          : [],
      ),
    );
  const [called, answered] = [ids("tool-call"), ids("tool-result")];
  return content.filter((part) => {
    if (part.type === "tool-result") return called.has(part.tool_call_id);
    if (part.type !== "tool-call") return true;
    return part.provider_executed === true ? answered.has(part.tool_call_id) : kept.has(part);
  });
}
