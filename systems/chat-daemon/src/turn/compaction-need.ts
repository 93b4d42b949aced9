/** Whether a chat's context is so full that its history has to be summed up (spec agents 5.10). */
import { boundaryIndexOf, type HistoryRow } from "../prompt/history-row.ts";
import { contextTokensOf, estimateContextTokens } from "../prompt/token-estimate.ts";

export type CompactionLimits = {
  /** Percent; 100: never, 0: always. */
  readonly thresholdPercent: number;
  /** Of the chat's model; null: unknown. */
  readonly contextLimit: number | null;
  /** Of the model that sums up, when it is another one. */
  readonly summaryContextLimit: number | null;
};

export type CompactionNeed =
  | { readonly kind: "none" }
  | ({ readonly kind: "needed" } & ContextUsage)
  /** The call right after the last summary was over the limit: another one would help nobody. */
  | ({ readonly kind: "useless" } & ContextUsage);

export type ContextUsage = {
  readonly contextTokens: number;
  readonly contextLimit: number;
  readonly usagePercent: number;
};

export function compactionNeed(
  rows: readonly HistoryRow[],
  limits: CompactionLimits,
): CompactionNeed {
  const { thresholdPercent } = limits;
  const usage = contextUsage(rows, limits);
  if (usage === null || thresholdPercent >= 100 || usage.usagePercent < thresholdPercent) {
    return { kind: "none" };
  }
  return {
    kind: isStillOver(rows, usage.contextLimit, thresholdPercent) ? "useless" : "needed",
    ...usage,
  };
}

/** Null: the limit is unknown, or nothing has been reported since the last boundary. */
export function contextUsage(
  rows: readonly HistoryRow[],
  { contextLimit, summaryContextLimit }: CompactionLimits,
): ContextUsage | null {
  const known = [contextLimit, summaryContextLimit].filter((limit) => limit !== null);
  const contextTokens = estimateContextTokens(rows);
  if (known.length === 0 || contextTokens === null) return null;
  const limit = Math.min(...known);
  return { contextTokens, contextLimit: limit, usagePercent: (contextTokens / limit) * 100 };
}

/**
 * The first call after the newest boundary was over the limit, and no later one was made since the user
 * last wrote: in a later turn what filled the context may be summed up as well.
 */
function isStillOver(
  rows: readonly HistoryRow[],
  contextLimit: number,
  thresholdPercent: number,
): boolean {
  const boundary = boundaryIndexOf(rows);
  if (boundary < 0) return false;
  const since = rows.slice(boundary + 1).filter(({ deleted }) => !deleted);
  const reported = since.findIndex(
    (row) => row.role === "assistant" && !row.compressed && contextTokensOf(row.usage) !== null,
  );
  const first = since[reported];
  if (first === undefined) return false;
  const isNewTurn = since
    .slice(reported + 1)
    .some((row) => row.role === "user" && row.visibility !== "model");
  if (isNewTurn) return false;
  // With a threshold of 0 every context is over it: then only the model's own limit counts.
  const percent = thresholdPercent === 0 ? 100 : thresholdPercent;
  return ((contextTokensOf(first.usage) ?? 0) / contextLimit) * 100 >= percent;
}
