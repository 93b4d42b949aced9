/**
 * What is kept of an answer that did not come to its end: the text and thoughts that were shown, the
 * calls whose arguments were complete, the results that had come. A call without a result gets one that
 * says so, because providers refuse a history with open calls.
 */
import type {
  MessagePart,
  ToolCallPart,
  ToolResultPart,
} from "@atelier/contract/chat/message-part";
import { SUMMARY_TOOL } from "./compaction-rows.ts";
import type { EpisodePart } from "./live-episode.ts";

export const INTERRUPTED_RESULT = "tool call was interrupted before it produced a result";

/** The assistant's parts, in the order in which they were shown; `at` completes cut thoughts. */
export function partialAnswer(parts: readonly EpisodePart[], at: string): readonly MessagePart[] {
  const kept: MessagePart[] = [];
  let isOpen = false;
  for (const { part } of parts) {
    if (part.type === "text" || part.type === "reasoning") {
      const last = kept.at(-1);
      if (isOpen && last?.type === part.type) {
        kept[kept.length - 1] = { ...last, ...part, text: last.text + part.text } as MessagePart; // Of one type.
      } else {
        kept.push(part);
      }
      // Blocks end with a part that has no text of its own.
      isOpen = part.text !== "";
      continue;
    }
    if (isStreaming(part) || part.type === "tool-result") continue;
    if (part.type === "tool-call" && part.tool_name === SUMMARY_TOOL) continue;
    kept.push(part);
    isOpen = false;
  }
  const answered = [...kept, ...providerResults(parts)];
  return answered.filter(hasContent).map((part) => completed(part, at));
}

/** One result for each call of ours: the one that had come, or that it was interrupted. */
export function interruptedResults(
  calls: readonly ToolCallPart[],
  parts: readonly EpisodePart[],
): readonly ToolResultPart[] {
  const results = parts
    .map(({ part }) => part)
    .filter((part): part is ToolResultPart => part.type === "tool-result" && !isStreaming(part));
  return calls.map(
    (call) =>
      results.find(({ tool_call_id: id }) => id === call.tool_call_id) ?? {
        ...{ type: "tool-result", tool_call_id: call.tool_call_id, tool_name: call.tool_name },
        ...{ result: { error: INTERRUPTED_RESULT }, is_error: true },
      },
  );
}

function isStreaming(part: MessagePart): boolean {
  return "args_delta" in part || "result_delta" in part || "result_reset" in part;
}

function providerResults(parts: readonly EpisodePart[]): readonly MessagePart[] {
  return parts
    .map(({ part }) => part)
    .filter((part) => part.type === "tool-result" && part.provider_executed === true);
}

function hasContent(part: MessagePart): boolean {
  if (part.type !== "text" && part.type !== "reasoning") return true;
  return (
    part.text.trim() !== "" || (part.type === "reasoning" && part.provider_metadata !== undefined)
  );
}

function completed(part: MessagePart, at: string): MessagePart {
  return part.type === "reasoning" && part.completed_at === undefined
    ? { ...part, completed_at: at }
    : part;
}
