/**
 * A chat as a text that people keep, send on and put into tickets: what was said, and each call of a tool
 * in a line with what came of it. Long results are cut and say so; the JSON has all.
 */
import type { ChatMessage } from "@atelier/contract/http/chats";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import {
  promptText,
  rowsOfMessages,
  type Row,
  type ToolRow,
} from "../transcript/transcript-rows.ts";
import {
  endText,
  errorOf,
  jsonText,
  outputOf,
  toolEnd,
  toolLine,
} from "../transcript/tool-words.ts";

const RESULT_CHARACTERS_MAX = 4_000;

export type ExportedChat = {
  readonly title: string;
  /** Where it is read in the browser. */
  readonly url: string;
  readonly owner: string;
  readonly savedAt: Date;
};

export function chatMarkdown(chat: ExportedChat, messages: readonly ChatMessage[]): string {
  const { title, url, owner, savedAt } = chat;
  const head = [`# ${title}`, `${url}, of ${owner}, as it was at ${savedAt.toISOString()}.`];
  const parts: string[] = [...head];
  let isAgent = false;
  for (const row of rowsOfMessages(messages).rows) {
    if (row.kind === "prompt") {
      isAgent = false;
      parts.push(`## ${owner}, ${row.sentAt}`, promptMarkdown(row.parts));
      continue;
    }
    const text = rowMarkdown(row);
    if (text === "") continue;
    if (!isAgent) parts.push("## Agent");
    isAgent = true;
    parts.push(text);
  }
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function promptMarkdown(parts: readonly MessagePart[]): string {
  const attached = parts.flatMap((part) => {
    if (part.type === "file") return [`- attached: ${part.name ?? part.media_type}`];
    if (part.type !== "file-reference") return [];
    const { file_name: file, start_line: start, end_line: end, content } = part;
    return [`- about ${file}:${start}-${end}: ${content}`];
  });
  return [promptText(parts), attached.join("\n")].filter((text) => text !== "").join("\n\n");
}

function rowMarkdown(row: Exclude<Row, { kind: "prompt" }>): string {
  switch (row.kind) {
    case "text":
      return row.text;
    case "reasoning":
      return quoted(row.part.text);
    case "tool":
      return toolMarkdown(row);
    case "sources":
      return row.sources.map(({ url, title }) => `- [${title ?? url}](${url})`).join("\n");
    case "file":
      return `- file: ${row.file.name ?? row.file.media_type}`;
    case "context":
      return `- ${row.text}`;
    case "mark":
      return "*The agent’s memory of what stands above was summed up or emptied here.*";
    case "usage":
      return "";
  }
}

function toolMarkdown(row: ToolRow): string {
  const { call, result } = row;
  const named = call ?? { tool_name: result?.tool_name ?? "tool", args: {} };
  const { verb, subject } = toolLine(named, true);
  const end = endText(toolEnd(row, false));
  const line = `**${verb}**${subject === "" ? "" : ` ${codeSpan(subject)}`}${end === "" ? "" : ` (${end})`}`;
  const text =
    result === null ? "" : (errorOf(result) ?? outputOf(result) ?? jsonText(result.result));
  return text.trim() === "" ? line : `${line}\n\n${fenced(text)}`;
}

function quoted(text: string): string {
  return text
    .trim()
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");
}

/** Whatever stands in the code, it ends where it ends. */
function codeSpan(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const ticks = "`".repeat(longestRun(line) + 1);
  return ticks.length === 1 ? `\`${line}\`` : `${ticks} ${line} ${ticks}`;
}

function fenced(text: string): string {
  const whole = text.replace(/\n+$/, "");
  const kept = whole.slice(0, RESULT_CHARACTERS_MAX);
  const ticks = "`".repeat(Math.max(3, longestRun(kept) + 1));
  const left = whole.length - kept.length;
  const cut = left === 0 ? "" : `\n… ${left} more characters`;
  return `${ticks}\n${kept}${cut}\n${ticks}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}

/** `tidy-up-the-tests`, for a file's name. */
export function fileNameOf(title: string): string {
  const name = title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
  return name === "" ? "chat" : name;
}
