/**
 * Notices when the model makes the same call again and again. It is told so beside the result, once the
 * call has been made three times in a row: in recorded sessions nobody did that for a good reason.
 */
import type { ToolCallPart } from "@atelier/contract/chat/message-part";
import { canonicalJson } from "../messages/canonical-json.ts";
import { localCallsOf, type HistoryRow } from "../prompt/history-row.ts";
import { rowsOfTurn } from "./decision.ts";

export const IDENTICAL_CALLS_NOTICED = 3;

/** Tools that are there to be asked again. */
const POLLING_TOOLS = new Set(["process_output", "process_list", "wait_agent", "list_agents"]);

/** How often the call has been made in a row at the end of this turn, itself included. */
export function repetitionsOf(rows: readonly HistoryRow[], call: ToolCallPart): number {
  const made = rowsOfTurn(rows).flatMap(localCallsOf);
  const upTo = made.findLastIndex(({ tool_call_id: id }) => id === call.tool_call_id);
  const before = made.slice(0, upTo + 1).map(keyOf);
  const wanted = keyOf(call);
  return before.length - 1 - before.findLastIndex((key) => key !== wanted);
}

/** What the model is told beside the result; null: nothing. */
export function repetitionNotice(rows: readonly HistoryRow[], call: ToolCallPart): string | null {
  if (POLLING_TOOLS.has(call.tool_name)) return null;
  const count = repetitionsOf(rows, call);
  return count < IDENTICAL_CALLS_NOTICED
    ? null
    : `You have made this same call ${count} times in a row. Do something else: change the input, use another tool, or say what stops you.`;
}

function keyOf(call: ToolCallPart): string {
  return `${call.tool_name} ${canonicalJson(call.args)}`;
}
