/** A message of a chat's history, as far as prompts and decisions read it. */
import type { MessagePart, MessageRole, ToolCallPart } from "@atelier/contract/chat/message-part";

export type HistoryRow = {
  readonly id: number;
  readonly role: MessageRole;
  readonly content: readonly MessagePart[];
  /** `user`: only shown. `model`: only sent. */
  readonly visibility: "user" | "model" | "both";
  /** Belongs to a boundary. */
  readonly compressed: boolean;
  readonly deleted: boolean;
  readonly modelConfigId: string | null;
  readonly providerResponseId: string | null;
  readonly usage: HistoryUsage;
};

/** Tokens as the provider reported them; null where it did not. */
export type HistoryUsage = {
  /** Without those of the cache. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly totalTokens: number | null;
  readonly cacheCreationTokens: number | null;
  readonly cacheReadTokens: number | null;
};

/** The calls of a row that are ours to answer, in the order of the model. */
export function localCallsOf(row: HistoryRow): readonly ToolCallPart[] {
  if (row.role !== "assistant") return [];
  return row.content.filter(
    (part): part is ToolCallPart => part.type === "tool-call" && part.provider_executed !== true,
  );
}

/** A boundary's summary: what lies before it is not sent any more. */
export function isBoundary(row: HistoryRow): boolean {
  return !row.deleted && row.compressed && row.visibility === "model" && row.role !== "system";
}

/** Index of the newest boundary, or -1. */
export function boundaryIndexOf(rows: readonly HistoryRow[]): number {
  return rows.findLastIndex(isBoundary);
}

/**
 * What the model is sent: of what lies before the newest boundary only the system's rows, then the
 * boundary's summary, then all after it. Rows of a boundary that people are shown stay out.
 */
export function selectPromptRows<Row extends HistoryRow>(rows: readonly Row[]): readonly Row[] {
  const boundary = boundaryIndexOf(rows);
  return rows.filter((row, index) => {
    if (row.deleted || row.visibility === "user") return false;
    if (row.role === "system") return true;
    if (index < boundary) return false;
    return !row.compressed || index === boundary;
  });
}

/**
 * The user's messages at the end that no answer has followed: a summary leaves them out, and they are
 * sent again after it.
 */
export function unansweredUserRows<Row extends HistoryRow>(rows: readonly Row[]): readonly Row[] {
  const sent = selectPromptRows(rows).filter((row) => row.role !== "system");
  const lastOther = sent.findLastIndex((row) => row.role !== "user" || isBoundary(row));
  return sent.slice(lastOther + 1);
}
