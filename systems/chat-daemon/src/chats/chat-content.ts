/** What people send, as parts of a message; and the title that a chat has before it gets a better one. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { ChatInputPart } from "@atelier/contract/http/chats";
import type { Validation } from "@atelier/contract/failures";

/** A stored file, as far as a message names it. */
export type KnownFile = { readonly id: string; readonly name: string; readonly mediaType: string };

/** One message holds no more files than a chat does. */
const FILES_PER_MESSAGE_MAX = 50;

export function fileIdsOf(content: readonly ChatInputPart[]): readonly string[] {
  return [...new Set(content.flatMap((part) => (part.type === "file" ? [part.file_id] : [])))];
}

/** Files that are not among `files` do not exist for whoever sends this. */
export function toParts(
  content: readonly ChatInputPart[],
  files: ReadonlyMap<string, KnownFile>,
): Result<readonly MessagePart[], readonly Validation[]> {
  const validations: Validation[] = [];
  const parts = content.flatMap((part, index): MessagePart[] => {
    const field = `content.${index}`;
    switch (part.type) {
      case "text":
        return [{ type: "text", text: part.text }];
      case "file": {
        const file = files.get(part.file_id);
        if (file === undefined) {
          validations.push({ field: `${field}.file_id`, detail: "There is no such file." });
          return [];
        }
        return [{ type: "file", file_id: file.id, media_type: file.mediaType, name: file.name }];
      }
      case "file-reference":
        if (part.end_line < part.start_line) {
          validations.push({ field: `${field}.end_line`, detail: "Not before start_line." });
        }
        return [part];
    }
  });
  if (fileIdsOf(content).length > FILES_PER_MESSAGE_MAX) {
    validations.push({ field: "content", detail: `At most ${FILES_PER_MESSAGE_MAX} files.` });
  }
  const isBlank = content.every((part) => part.type === "text" && part.text.trim() === "");
  if (isBlank) validations.push({ field: "content", detail: "The message is empty." });
  return validations.length === 0 ? ok(parts) : fail(validations);
}

const TITLE_WORDS = 6;
const TITLE_LENGTH_MAX = 80;
export const UNTITLED = "New Chat";

/** The first words of the first text (spec agents 9.1). */
export function fallbackTitle(content: readonly ChatInputPart[]): string {
  const first = content.find((part) => part.type === "text" && part.text.trim() !== "");
  if (first?.type !== "text") return UNTITLED;
  const words = first.text.trim().split(/\s+/u);
  const title = words.slice(0, TITLE_WORDS).join(" ");
  const letters = [...title];
  if (letters.length > TITLE_LENGTH_MAX) {
    return `${letters.slice(0, TITLE_LENGTH_MAX - 1).join("")}…`;
  }
  return words.length > TITLE_WORDS ? `${title}…` : title;
}
