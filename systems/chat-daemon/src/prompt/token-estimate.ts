/**
 * How many tokens the next call's context holds, before it is made: what the provider reported for the
 * last call, plus the characters that came since. Without such an anchor there is no estimate: counting
 * the characters of everything is wrong by a third (spec field lessons 3.3).
 */
import type { MessagePart } from "@atelier/contract/chat/message-part";
import {
  boundaryIndexOf,
  selectPromptRows,
  type HistoryRow,
  type HistoryUsage,
} from "./history-row.ts";

/** Measured over recorded sessions; on the careful side for code and JSON. */
const CHARACTERS_PER_TOKEN = 3;
/** What an image or a document costs at most, roughly, whatever its bytes. */
const MEDIA_TOKENS = 1_600;

/** Tokens of the call that a row answers: input, read from the cache and written to it. */
export function contextTokensOf(usage: HistoryUsage): number | null {
  const { inputTokens, cacheReadTokens, cacheCreationTokens, totalTokens } = usage;
  if (inputTokens === null && cacheReadTokens === null && cacheCreationTokens === null) {
    return totalTokens;
  }
  return (inputTokens ?? 0) + (cacheReadTokens ?? 0) + (cacheCreationTokens ?? 0);
}

/** Null: nothing has been reported since the last boundary. */
export function estimateContextTokens(rows: readonly HistoryRow[]): number | null {
  const since = selectPromptRows(rows.slice(Math.max(0, boundaryIndexOf(rows))));
  const anchor = since.findLastIndex(
    (row) => row.role === "assistant" && contextTokensOf(row.usage) !== null,
  );
  const anchored = since[anchor];
  if (anchored === undefined) return null;
  const reported = contextTokensOf(anchored.usage) ?? 0;
  const answered = anchored.usage.outputTokens ?? tokensOf(anchored.content);
  const added = since.slice(anchor + 1).reduce((sum, row) => sum + tokensOf(row.content), 0);
  return reported + answered + added;
}

function tokensOf(content: readonly MessagePart[]): number {
  return content.reduce((sum, part) => {
    if (part.type === "file" || (part.type === "tool-result" && part.is_media === true)) {
      return sum + MEDIA_TOKENS;
    }
    return sum + Math.ceil(charactersOf(part) / CHARACTERS_PER_TOKEN);
  }, 0);
}

function charactersOf(part: MessagePart): number {
  switch (part.type) {
    case "text":
    case "reasoning":
      return part.text.length;
    case "tool-call":
      return part.tool_name.length + lengthOf(part.args);
    case "tool-result":
      return lengthOf(part.result);
    case "file-reference":
      return part.content.length + part.file_name.length;
    case "context-file":
      return part.context_file_content?.length ?? 0;
    case "source":
    case "skill":
    case "file":
      return 0;
  }
}

function lengthOf(value: unknown): number {
  return typeof value === "string" ? value.length : (JSON.stringify(value)?.length ?? 0);
}
