/** What chats sent to models and were answered, where that is recorded: spec agents 3.8, 4.3 and 9.5. */
import { z } from "zod";
import { ChatError } from "../chat/chat-words.ts";
import { endpoint } from "../endpoint.ts";
import { ChatParams, ChatUsage } from "./chats.ts";
import { NoQuery, Timestamp } from "./common.ts";

export const DEBUG_RUN_KINDS = ["chat_turn", "title_generation", "quickgen", "compaction"] as const;
export type DebugRunKind = (typeof DEBUG_RUN_KINDS)[number];
export const DEBUG_STATUSES = ["in_progress", "completed", "error", "interrupted"] as const;
export type DebugStatus = (typeof DEBUG_STATUSES)[number];
export const DEBUG_OPERATIONS = ["stream", "generate"] as const;
export type DebugOperation = (typeof DEBUG_OPERATIONS)[number];

/** The newest; older ones are there until they are deleted, but not listed. */
export const DEBUG_RUNS_MAX = 100;
/** Of one answer about a run: later steps come without what they hold, and are asked for one by one. */
export const DEBUG_RUN_BYTES_MAX = 8 * 1024 * 1024;

const Count = z.int().nonnegative();
const MessageId = z.int().positive().nullable();

export const ChatDebugRun = z.object({
  id: z.uuid(),
  chat_id: z.uuid(),
  root_chat_id: z.uuid().nullable(),
  parent_chat_id: z.uuid().nullable(),
  model_config_id: z.uuid().nullable(),
  /** The message of a person that it answers. */
  trigger_message_id: MessageId,
  /** The newest message when it began. */
  history_tip_message_id: MessageId,
  kind: z.enum(DEBUG_RUN_KINDS),
  status: z.enum(DEBUG_STATUSES),
  provider: z.string(),
  model: z.string(),
  summary: z.object({
    /** How the message that it answers begins. */
    title: z.string(),
    step_count: Count,
    /** Requests over HTTP. */
    attempt_count: Count,
    /** With what caches served and took. */
    input_tokens: Count,
    output_tokens: Count,
    /** What went wrong last, where something did. */
    error: z.string().nullable(),
  }),
  started_at: Timestamp,
  updated_at: Timestamp,
  finished_at: Timestamp.nullable(),
});
export type ChatDebugRun = z.output<typeof ChatDebugRun>;

const HttpHeaders = z.record(z.string(), z.string());

/** One request over HTTP. Credentials are taken out; long bodies are cut, and say so. */
export const ChatDebugAttempt = z.object({
  started_at: Timestamp,
  method: z.string(),
  url: z.string(),
  request_headers: HttpHeaders,
  /** Null: there was none, or it was no text. */
  request_body: z.string().nullable(),
  /** Null: no answer came. */
  status: z.int().nullable(),
  response_headers: HttpHeaders,
  response_body: z.string().nullable(),
  /** Until the answer's headers were there. */
  headers_ms: Count.nullable(),
  /** Until its end, or until somebody let go of it. */
  duration_ms: Count.nullable(),
  /** Why it was not answered, or not to the end. */
  error: z.string().nullable(),
});
export type ChatDebugAttempt = z.output<typeof ChatDebugAttempt>;

export const ChatDebugStep = z.object({
  id: z.uuid(),
  run_id: z.uuid(),
  step_number: z.int().positive(),
  operation: z.enum(DEBUG_OPERATIONS),
  status: z.enum(DEBUG_STATUSES),
  history_tip_message_id: MessageId,
  /** The message that the answer became. Null: none, or not known yet. */
  assistant_message_id: MessageId,
  /** Prompt, tools and settings, before a provider's client spelt them. */
  normalized_request: z.unknown(),
  normalized_response: z.unknown(),
  usage: ChatUsage.nullable(),
  attempts: z.array(ChatDebugAttempt),
  attempt_count: Count,
  error: ChatError.nullable(),
  /** What else is known of the call, such as which work it was for. */
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Request, response and attempts were left out of this answer, which would have become too long. */
  is_outline: z.boolean(),
  started_at: Timestamp,
  updated_at: Timestamp,
  finished_at: Timestamp.nullable(),
});
export type ChatDebugStep = z.output<typeof ChatDebugStep>;

const READS = { tag: "chat debugging", method: "GET", access: "chat:read", body: null } as const;

export const listChatDebugRuns = endpoint({
  ...READS,
  summary: "What was recorded of a chat's model calls: the newest runs, the latest first",
  path: "/api/v2/chats/:chat/debug/runs",
  aliases: ["/api/experimental/chats/:chat/debug/runs"],
  params: ChatParams,
  query: NoQuery,
  success: {
    status: 200,
    body: z.object({
      /** Whether its next model call is recorded. */
      is_recorded: z.boolean(),
      runs: z.array(ChatDebugRun).max(DEBUG_RUNS_MAX),
    }),
  },
  failures: [],
  audit: null,
});

const RunParams = ChatParams.extend({ run: z.uuid() }).strict();

export const getChatDebugRun = endpoint({
  ...READS,
  summary: "A recorded run with its steps",
  path: "/api/v2/chats/:chat/debug/runs/:run",
  aliases: ["/api/experimental/chats/:chat/debug/runs/:run"],
  params: RunParams,
  query: z.strictObject({
    /** `outline`: without requests, responses and attempts. */
    detail: z.enum(["full", "outline"]).default("full"),
  }),
  success: { status: 200, body: ChatDebugRun.extend({ steps: z.array(ChatDebugStep) }) },
  failures: [],
  audit: null,
});

export const getChatDebugStep = endpoint({
  ...READS,
  summary: "One step of a recorded run, with all that was recorded",
  path: "/api/v2/chats/:chat/debug/runs/:run/steps/:step",
  aliases: ["/api/experimental/chats/:chat/debug/runs/:run/steps/:step"],
  params: RunParams.extend({ step: z.uuid() }).strict(),
  query: NoQuery,
  success: { status: 200, body: ChatDebugStep },
  failures: [],
  audit: null,
});
