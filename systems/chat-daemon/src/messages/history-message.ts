/** A message of a history as far as pure readings of it care: stored ones have all of this. */
import type { MessagePart, MessageRole } from "@atelier/contract/chat/message-part";

export type HistoryMessage = {
  readonly role: MessageRole;
  readonly content: readonly MessagePart[];
  /** `user`: only shown. `model`: only sent. */
  readonly visibility: "user" | "model" | "both";
  /** Belongs to a boundary. */
  readonly compressed: boolean;
};

/** People see it. */
export function isVisible(message: Pick<HistoryMessage, "visibility">): boolean {
  return message.visibility !== "model";
}

/** A person wrote it; summaries have the same role. */
export function isOfPerson(message: Pick<HistoryMessage, "role" | "visibility">): boolean {
  return message.role === "user" && isVisible(message);
}

/** The first row of a boundary: a summary, or the word that there is none. What lies before is not sent. */
export function isBoundary(message: Pick<HistoryMessage, "visibility" | "compressed">): boolean {
  return message.compressed && message.visibility === "model";
}

/** From the newest boundary on, it included; all where there is none. */
export function sinceBoundary<T extends Pick<HistoryMessage, "visibility" | "compressed">>(
  messages: readonly T[],
): readonly T[] {
  return messages.slice(Math.max(0, messages.findLastIndex(isBoundary)));
}

/** What somebody wrote or the model said, without all else. */
export function textOf(parts: readonly MessagePart[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** The files of the chat that the parts name, each once. */
export function fileIdsOf(parts: readonly MessagePart[]): readonly string[] {
  const ids = parts.map((part) => (part.type === "file" ? part.file_id : undefined));
  return [...new Set(ids.filter((id) => id !== undefined))];
}
