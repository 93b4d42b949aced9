/**
 * Rows of a history as the prompt of a model call. Pure: the same rows give the same bytes, so a
 * provider's cache serves them.
 *
 * What another model's provider said about its own parts (signatures of thoughts, ids of items) means
 * nothing to this one: such parts go without it, and thoughts do not go at all.
 */
import type {
  JSONValue,
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4TextPart,
  LanguageModelV4ToolResultPart,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import { madeOnce } from "@atelier/base/made-once";
import type { MessagePart, ToolResultPart } from "@atelier/contract/chat/message-part";
import { selectPromptRows, type HistoryRow } from "./history-row.ts";
import { repairRows, type PromptMessageRow } from "./prompt-repair.ts";
import type { SystemLayer } from "./system-layers.ts";
import { toValidJson, toValidText } from "../messages/valid-text.ts";

/** Bytes of a file that a message names. */
export type PromptFile = {
  readonly mediaType: string;
  readonly name: string;
  readonly bytes: Uint8Array;
};

export type PromptCall = {
  readonly modelConfigId: string;
  /** Whether files of this type can be sent as they are. */
  readonly takesFile: (mediaType: string) => boolean;
  /** By id; those that are gone are missing. */
  readonly files: ReadonlyMap<string, PromptFile>;
};

/** Of rows that `selectPromptRows` left, or of all. */
export function toModelPrompt(
  rows: readonly HistoryRow[],
  layers: readonly SystemLayer[],
  call: PromptCall,
): LanguageModelV4Prompt {
  const system = layers.map(({ text }): LanguageModelV4Message => ({
    role: "system",
    content: toValidText(text),
  }));
  const talk = selectPromptRows(rows).filter(({ role }) => role !== "system");
  const own = talk.map((row) => withoutForeignCalls(valid(row), call));
  const messages = repairRows(own).map((row) => toMessage(row, call));
  const sent = messages.filter((message) => message.content.length > 0);
  return [...system, ...sent];
}

/** Of rows that come again with every step: a long history is looked through once. */
const valid = madeOnce((row: HistoryRow): HistoryRow => {
  const content = toValidJson(row.content);
  return content === row.content ? row : { ...row, content };
});

/** Ids of the files that a prompt of these rows needs. */
export function fileIdsOf(rows: readonly HistoryRow[]): readonly string[] {
  return [...new Set(selectPromptRows(rows).flatMap(idsInRow))];
}

const idsInRow = madeOnce(({ content }: HistoryRow): readonly string[] => {
  const ids = content.map((part) => (part.type === "file" ? part.file_id : undefined));
  return ids.filter((id) => id !== undefined);
});

/** What another provider ran itself cannot be shown to this one. */
function withoutForeignCalls(row: HistoryRow, call: PromptCall): HistoryRow {
  if (!isForeign(row, call)) return row;
  const content = row.content.filter(
    (part) => !("provider_executed" in part && part.provider_executed === true),
  );
  return { ...row, content };
}

function isForeign({ role, modelConfigId }: PromptMessageRow, call: PromptCall): boolean {
  return role === "assistant" && modelConfigId !== null && modelConfigId !== call.modelConfigId;
}

function toMessage(row: PromptMessageRow, call: PromptCall): LanguageModelV4Message {
  switch (row.role) {
    case "system":
    case "user":
      return { role: "user", content: row.content.flatMap((part) => toUserParts(part, call)) };
    case "assistant":
      return { role: "assistant", content: toAssistantParts(row, call) };
    case "tool":
      return { role: "tool", content: row.content.flatMap(toResults) };
  }
}

function toUserParts(
  part: MessagePart,
  call: PromptCall,
): (LanguageModelV4TextPart | LanguageModelV4FilePart)[] {
  switch (part.type) {
    case "text":
      return part.text.trim() === "" ? [] : [{ type: "text", text: part.text }];
    case "file":
      return [toFilePart(part, call)];
    case "file-reference": {
      const { file_name: name, start_line: from, end_line: to, content } = part;
      const head = `<file-reference path=${JSON.stringify(name)} lines="${from}-${to}">`;
      return [{ type: "text", text: `${head}\n${content}\n</file-reference>` }];
    }
    case "context-file": {
      const { context_file_path: path, context_file_content: content = "" } = part;
      if (content === "") return [];
      const head = `<file path=${JSON.stringify(path)}>`;
      return [{ type: "text", text: `${head}\n${content}\n</file>` }];
    }
    case "reasoning":
    case "tool-call":
    case "tool-result":
    case "source":
    case "skill":
      return [];
  }
}

/** Types whose bytes are text, whatever a provider thinks of the type. */
const TEXT_TYPES = /^text\/|^application\/json$/;

function toFilePart(
  part: Extract<MessagePart, { type: "file" }>,
  call: PromptCall,
): LanguageModelV4TextPart | LanguageModelV4FilePart {
  const file = part.file_id === undefined ? undefined : call.files.get(part.file_id);
  const name = toValidText(file?.name ?? part.name ?? "file");
  const mediaType = file?.mediaType ?? part.media_type;
  const data = file?.bytes ?? part.data;
  if (data === undefined) {
    return { type: "text", text: `[The attachment ${name} has expired.]` };
  }
  if (TEXT_TYPES.test(mediaType)) {
    const text = typeof data === "string" ? Buffer.from(data, "base64") : Buffer.from(data);
    const head = `<attachment name=${JSON.stringify(name)}>`;
    return { type: "text", text: `${head}\n${toValidText(text.toString("utf8"))}\n</attachment>` };
  }
  if (!call.takesFile(mediaType)) {
    return { type: "text", text: `[The attachment ${name} (${mediaType}) cannot be shown.]` };
  }
  return { type: "file", mediaType, filename: name, data: { type: "data", data } };
}

type AssistantPart = Extract<LanguageModelV4Message, { role: "assistant" }>["content"][number];

function toAssistantParts(row: PromptMessageRow, call: PromptCall): AssistantPart[] {
  const foreign = isForeign(row, call);
  return row.content.flatMap((part): AssistantPart[] => {
    const options = foreign ? {} : optionsOf(part);
    switch (part.type) {
      case "text":
        return part.text.trim() === "" ? [] : [{ type: "text", text: part.text, ...options }];
      case "reasoning":
        // Without text there may be a signature or an encrypted thought, which has to go back.
        return foreign || (part.text.trim() === "" && part.provider_metadata === undefined)
          ? []
          : [{ type: "reasoning", text: part.text, ...options }];
      case "tool-call":
        return [
          {
            ...{ type: "tool-call", toolCallId: part.tool_call_id, toolName: part.tool_name },
            input: toInput(part.args),
            ...(part.provider_executed === true && { providerExecuted: true }),
            ...options,
          },
        ];
      case "tool-result":
        return toResults(part).map((result) => ({ ...result, ...options }));
      case "file":
        return "data" in part || call.files.has(part.file_id ?? "")
          ? [toFilePart(part, call)].filter(({ type }) => type === "file")
          : [];
      case "source":
      case "file-reference":
      case "context-file":
      case "skill":
        return [];
    }
  });
}

/** Providers want an object. What is none was refused when it was called, and is shown as it was. */
function toInput(args: unknown): unknown {
  return typeof args === "object" && args !== null && !Array.isArray(args)
    ? args
    : { invalid_arguments: args };
}

function toResults(part: MessagePart): LanguageModelV4ToolResultPart[] {
  if (part.type !== "tool-result") return [];
  return [
    {
      ...{ type: "tool-result", toolCallId: part.tool_call_id, toolName: part.tool_name },
      output: toOutput(part),
    },
  ];
}

function toOutput(part: ToolResultPart): LanguageModelV4ToolResultPart["output"] {
  const { result, is_error: isError = false, is_media: isMedia = false } = part;
  if (isMedia) return mediaOutput(result);
  if (typeof result === "string") return { type: isError ? "error-text" : "text", value: result };
  return { type: isError ? "error-json" : "json", value: (result ?? null) as JSONValue }; // Stored as JSON.
}

function mediaOutput(result: unknown): LanguageModelV4ToolResultPart["output"] {
  const media = result as { readonly data: string; readonly media_type: string; text?: string };
  const text = media.text === undefined ? [] : [{ type: "text" as const, text: media.text }];
  const data = { type: "data" as const, data: media.data };
  return {
    type: "content",
    value: [...text, { type: "file", mediaType: media.media_type, data }],
  };
}

function optionsOf(part: MessagePart): { readonly providerOptions?: SharedV4ProviderOptions } {
  const metadata = "provider_metadata" in part ? part.provider_metadata : undefined;
  return metadata === undefined ? {} : { providerOptions: metadata as SharedV4ProviderOptions }; // As it came.
}
