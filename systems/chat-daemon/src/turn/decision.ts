/**
 * What a running chat does next, from its committed history alone (spec agents 5.6). Nothing in memory
 * is needed, so whoever takes a chat over decides the same.
 */
import type { MessagePart, ToolCallPart } from "@atelier/contract/chat/message-part";
import { isOfPerson } from "../messages/history-message.ts";
import {
  boundaryIndexOf,
  isBoundary,
  localCallsOf,
  selectPromptRows,
  type HistoryRow,
} from "../prompt/history-row.ts";
import type { CompactionNeed } from "./compaction-need.ts";

/** Steps of one turn: beyond it the turn ends, and the user may send it on. */
export const TURN_STEPS_MAX = 1_200;

export type TurnFacts = {
  readonly rows: readonly HistoryRow[];
  readonly isCompactionRequested: boolean;
  readonly compaction: CompactionNeed;
  /** Tools that the client runs. */
  readonly dynamicTools: ReadonlySet<string>;
  /** Tools that have to be called alone. */
  readonly exclusiveTools: ReadonlySet<string>;
  /** Tools whose success ends the turn. */
  readonly stopAfterTools: ReadonlySet<string>;
};

export type TurnDecision =
  | {
      readonly kind: "execute_tools";
      readonly row: HistoryRow;
      readonly calls: readonly ToolCallPart[];
    }
  | { readonly kind: "enter_requires_action" }
  | { readonly kind: "compact"; readonly source: "automatic" | "manual" }
  | { readonly kind: "finish"; readonly reason: "stop_after" | "complete" | "max_steps" }
  /** Even a new summary is over the limit. */
  | { readonly kind: "still_over_limit" }
  | { readonly kind: "generate" };

export function decide(facts: TurnFacts): TurnDecision {
  const { rows, compaction } = facts;
  const open = unansweredCalls(rows);
  if (open !== null && open.calls.length > 0) {
    const local = open.calls.filter((call) => !facts.dynamicTools.has(call.tool_name));
    if (local.length === 0) return { kind: "enter_requires_action" };
    const isExclusive = local.some((call) => facts.exclusiveTools.has(call.tool_name));
    // With an exclusive call nothing runs, so the client's calls are refused with the others.
    return { kind: "execute_tools", row: open.row, calls: isExclusive ? open.calls : local };
  }
  if (facts.isCompactionRequested && hasAnswerSinceBoundary(rows)) {
    return { kind: "compact", source: "manual" };
  }
  if (hasStopped(rows, facts.stopAfterTools)) return { kind: "finish", reason: "stop_after" };
  if (isComplete(rows)) return { kind: "finish", reason: "complete" };
  if (stepsOfTurn(rows) >= TURN_STEPS_MAX) return { kind: "finish", reason: "max_steps" };
  if (compaction.kind === "needed") return { kind: "compact", source: "automatic" };
  if (compaction.kind === "useless") return { kind: "still_over_limit" };
  return { kind: "generate" };
}

/** The last answer's calls of ours that have no result after it. Null: there is no answer. */
export function unansweredCalls(
  rows: readonly HistoryRow[],
): { readonly row: HistoryRow; readonly calls: readonly ToolCallPart[] } | null {
  const index = rows.findLastIndex(isAnswer);
  const row = rows[index];
  if (row === undefined) return null;
  const answered = new Set(
    rows
      .slice(index + 1)
      .filter(({ deleted, compressed }) => !deleted && !compressed)
      .flatMap(({ content }) => content)
      .map((part) => (part.type === "tool-result" ? part.tool_call_id : "")),
  );
  return { row, calls: localCallsOf(row).filter((call) => !answered.has(call.tool_call_id)) };
}

/** Whether a summary would sum up anything. */
export function hasAnswerSinceBoundary(rows: readonly HistoryRow[]): boolean {
  return rows.slice(boundaryIndexOf(rows) + 1).some(isAnswer);
}

/** The rows since the user last wrote, without that message. */
export function rowsOfTurn(rows: readonly HistoryRow[]): readonly HistoryRow[] {
  return rows.slice(rows.findLastIndex(isThereOfPerson) + 1).filter(({ deleted }) => !deleted);
}

/** What the turn answers. Null: nobody wrote anything. */
export function personsMessage(rows: readonly HistoryRow[]): HistoryRow | null {
  return rows.findLast(isThereOfPerson) ?? null;
}

function isThereOfPerson(row: HistoryRow): boolean {
  return !row.deleted && isOfPerson(row);
}

export function stepsOfTurn(rows: readonly HistoryRow[]): number {
  return rowsOfTurn(rows).filter(isAnswer).length;
}

function isAnswer(row: HistoryRow): boolean {
  return row.role === "assistant" && !row.deleted && !row.compressed && row.visibility !== "user";
}

function hasStopped(rows: readonly HistoryRow[], stopAfter: ReadonlySet<string>): boolean {
  const turn = rowsOfTurn(rows);
  const last = turn.findLastIndex(isAnswer);
  return turn
    .slice(last + 1)
    .flatMap(({ content }) => content)
    .some((part) => isSuccessOf(part, stopAfter));
}

function isSuccessOf(part: MessagePart, tools: ReadonlySet<string>): boolean {
  return part.type === "tool-result" && part.is_error !== true && tools.has(part.tool_name);
}

/**
 * The last thing that the model would be sent is its own final answer, or a boundary: who writes one in
 * the middle of the work puts something behind it.
 */
export function isComplete(rows: readonly HistoryRow[]): boolean {
  const last = selectPromptRows(rows).findLast(({ role }) => role !== "system");
  if (last === undefined || isBoundary(last)) return true;
  return last.role === "assistant" && localCallsOf(last).length === 0;
}
