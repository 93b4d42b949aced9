/**
 * The parts that a message of a chat consists of: one JSON object each, told apart by `type`. The same
 * JSON is stored and sent, so a field once written is read forever; what is internal is taken off
 * before anybody sees it (`forClients`).
 *
 * Source: spec agents 3.10. Times are ISO 8601 in UTC.
 */
import { z } from "zod";

/** Of the model's provider, given back with the part: signatures of thoughts, ids of items. Internal. */
const ProviderMetadata = { provider_metadata: z.record(z.string(), z.unknown()).optional() };
const Time = z.iso.datetime();

export const TextPart = z.object({
  type: z.literal("text"),
  text: z.string(),
  ...ProviderMetadata,
});

export const ReasoningPart = z.object({
  type: z.literal("reasoning"),
  text: z.string(),
  created_at: Time.optional(),
  /** Of one that was cut off: when that was. */
  completed_at: Time.optional(),
  ...ProviderMetadata,
});

export const ToolCallPart = z.object({
  type: z.literal("tool-call"),
  tool_call_id: z.string(),
  tool_name: z.string(),
  /** As the model wrote them: any JSON. */
  args: z.unknown(),
  /** While it streams: what the text of the arguments grows by. Never stored. */
  args_delta: z.string().optional(),
  mcp_server_config_id: z.uuid().optional(),
  /** Of `execute`: program and first argument of each simple command. */
  parsed_commands: z.array(z.array(z.string())).optional(),
  /** The provider ran it itself. */
  provider_executed: z.boolean().optional(),
  created_at: Time.optional(),
  ...ProviderMetadata,
});

export const ToolResultPart = z.object({
  type: z.literal("tool-result"),
  tool_call_id: z.string(),
  tool_name: z.string(),
  result: z.unknown(),
  /** While it streams. Never stored. */
  result_delta: z.string().optional(),
  result_reset: z.boolean().optional(),
  is_error: z.boolean().optional(),
  /** `result` is `{data, media_type, text?}`, data in base64. */
  is_media: z.boolean().optional(),
  provider_executed: z.boolean().optional(),
  mcp_server_config_id: z.uuid().optional(),
  created_at: Time.optional(),
  ...ProviderMetadata,
});

export const SourcePart = z.object({
  type: z.literal("source"),
  url: z.string(),
  source_id: z.string().optional(),
  title: z.string().optional(),
  ...ProviderMetadata,
});

export const FilePart = z.object({
  type: z.literal("file"),
  media_type: z.string(),
  file_id: z.uuid().optional(),
  /** Base64, where the bytes are no file of the chat. Internal beside a file_id. */
  data: z.string().optional(),
  name: z.string().optional(),
  ...ProviderMetadata,
});

/** Code that somebody commented on. Lines count from 1. */
export const FileReferencePart = z.object({
  type: z.literal("file-reference"),
  file_name: z.string(),
  start_line: z.int(),
  end_line: z.int(),
  content: z.string(),
});

export const ContextFilePart = z.object({
  type: z.literal("context-file"),
  context_file_path: z.string(),
  context_file_truncated: z.boolean().optional(),
  context_file_agent_id: z.uuid().optional(),
  /** These are internal. */
  context_file_content: z.string().optional(),
  context_file_os: z.string().optional(),
  context_file_directory: z.string().optional(),
});

export const SkillPart = z.object({
  type: z.literal("skill"),
  skill_name: z.string(),
  skill_description: z.string().optional(),
  /** Internal. */
  skill_dir: z.string().optional(),
});

export const MessagePart = z.discriminatedUnion("type", [
  TextPart,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
  SourcePart,
  FilePart,
  FileReferencePart,
  ContextFilePart,
  SkillPart,
]);
export type MessagePart = z.infer<typeof MessagePart>;
export type ToolCallPart = z.infer<typeof ToolCallPart>;
export type ToolResultPart = z.infer<typeof ToolResultPart>;

export const MESSAGE_ROLES = ["system", "user", "assistant", "tool"] as const;
export type MessageRole = (typeof MESSAGE_ROLES)[number];

/** A part as people and their programs may see it. */
export function forClients(part: MessagePart): MessagePart {
  switch (part.type) {
    case "context-file": {
      const {
        context_file_content: _c,
        context_file_os: _o,
        context_file_directory: _d,
        ...rest
      } = part;
      return rest;
    }
    case "skill": {
      const { skill_dir: _dir, ...rest } = part;
      return rest;
    }
    case "file": {
      const { provider_metadata: _metadata, data, ...rest } = part;
      return rest.file_id === undefined && data !== undefined ? { ...rest, data } : rest;
    }
    case "file-reference":
      return part;
    case "text":
    case "reasoning":
    case "tool-call":
    case "tool-result":
    case "source": {
      const { provider_metadata: _metadata, ...rest } = part;
      return rest;
    }
  }
}
