/**
 * Whether a call may continue from the provider's own copy of the conversation (`previous_response_id`)
 * and send only what is new (spec agents 5.5). Only for the first step of a turn: what follows replays
 * the whole history.
 */
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { localCallsOf, selectPromptRows, type HistoryRow } from "./history-row.ts";

export type Chain = {
  readonly previousResponseId: string;
  /** The rows that are sent beside the system's. */
  readonly rows: readonly HistoryRow[];
};

/** Null: the whole history is sent. */
export function chainOf(
  rows: readonly HistoryRow[],
  call: {
    /** The provider keeps answers, and the transport can name them. */
    readonly isStored: boolean;
    readonly modelConfigId: string;
    readonly isPlanMode: boolean;
  },
): Chain | null {
  if (!call.isStored || call.isPlanMode) return null;
  const sent = selectPromptRows(rows).filter(({ role }) => role !== "system");
  const lastOther = sent.findLastIndex(({ role }) => role !== "user");
  const trailing = sent.slice(lastOther + 1).filter(({ content }) => content.some(contributes));
  if (trailing.length === 0) return null;
  const before = sent.slice(0, lastOther + 1);
  const anchorIndex = before.findLastIndex(({ role }) => role !== "tool");
  const anchor = before[anchorIndex];
  if (anchor?.role !== "assistant" || anchor.providerResponseId === null) return null;
  if (anchor.modelConfigId !== call.modelConfigId) return null;
  // Results of its calls, or the lack of them, are not known to the provider.
  if (localCallsOf(anchor).length > 0) return null;
  return { previousResponseId: anchor.providerResponseId, rows: trailing };
}

function contributes(part: MessagePart): boolean {
  switch (part.type) {
    case "text":
    case "reasoning":
      return part.text.trim() !== "";
    case "file":
    case "file-reference":
      return true;
    case "context-file":
      return (part.context_file_content ?? "") !== "";
    case "tool-call":
    case "tool-result":
    case "source":
    case "skill":
      return false;
  }
}
