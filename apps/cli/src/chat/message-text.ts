/** What somebody wrote, or a model answered, as one text. Not harmless for terminals yet. */
import type { ChatView } from "@atelier/contract/chat/chat-view";
import type { MessagePart } from "@atelier/contract/chat/message-part";

export function messageText(content: readonly MessagePart[]): string {
  return content
    .flatMap((part) => {
      if (part.type === "text") return [part.text];
      if (part.type === "file") return [`[file ${part.name ?? part.file_id ?? part.media_type}]`];
      if (part.type !== "file-reference") return [];
      return [`[${part.file_name}:${part.start_line}-${part.end_line}]\n${part.content}`];
    })
    .join("\n");
}

/** Of the last answer that has one: what a script asked for. Null: there is none after this message. */
export function finalAnswer({ messages }: ChatView, afterId: number): string | null {
  for (const { id, role, content } of messages.toReversed()) {
    if (id <= afterId) return null;
    if (role !== "assistant") continue;
    const text = content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
    if (text.trim() !== "") return text;
  }
  return null;
}
