/** Chats over HTTP: spec agents 4.2 and 4.3. */
import { z } from "zod";
import {
  CHAT_ASKS,
  CHAT_CLIENT_TYPES,
  CHAT_INBOX_SECTIONS,
  CHAT_MODES,
  CHAT_STATUSES,
  ChatError,
  ChatRetry,
  ReasoningEffort,
} from "../chat/chat-words.ts";
import { MESSAGE_ROLES, MessagePart } from "../chat/message-part.ts";
import { endpoint } from "../endpoint.ts";
import { limitOf, NoParams, NoQuery, Timestamp } from "./common.ts";

export const ChatParams = z.strictObject({ chat: z.uuid() });
export const ChatMessageId = z.coerce.number().int().positive();

export const CHAT_TITLE_MAX = 200;
export const CHAT_SYSTEM_PROMPT_MAX = 10_000;
/** Of the whole request (spec 4.1). */
export const CHAT_CREATE_BYTES_MAX = 256 * 1024;
export const CHAT_LABELS_MAX = 50;
export const CHAT_ACTION_SUBJECT_MAX = 160;
export const CHAT_DYNAMIC_TOOLS_MAX = 250;

const LabelKey = z.string().regex(/^[A-Za-z0-9._/-]{1,64}$/, "1 to 64 of A-Z a-z 0-9 . _ / -");
export const ChatLabels = z
  .record(LabelKey, z.string().max(256))
  .refine((labels) => Object.keys(labels).length <= CHAT_LABELS_MAX, "At most 50 labels.");

const Count = z.int().nonnegative();
export const ChatUsage = z.object({
  input_tokens: Count.optional(),
  output_tokens: Count.optional(),
  total_tokens: Count.optional(),
  reasoning_tokens: Count.optional(),
  cache_creation_tokens: Count.optional(),
  cache_read_tokens: Count.optional(),
  context_limit: Count.optional(),
});
export type ChatUsage = z.infer<typeof ChatUsage>;

export const ChatMessage = z.object({
  id: z.int(),
  chat_id: z.uuid(),
  created_by: z.uuid().optional(),
  model_config_id: z.uuid().optional(),
  created_at: Timestamp,
  role: z.enum(MESSAGE_ROLES),
  content: z.array(MessagePart),
  usage: ChatUsage.optional(),
});
export type ChatMessage = z.infer<typeof ChatMessage>;

export const ChatQueuedMessage = z.object({
  id: z.int(),
  chat_id: z.uuid(),
  model_config_id: z.uuid().optional(),
  content: z.array(MessagePart),
  created_at: Timestamp,
});
export type ChatQueuedMessage = z.infer<typeof ChatQueuedMessage>;

export const ChatFile = z.object({
  id: z.uuid(),
  owner_id: z.uuid(),
  organization_id: z.uuid(),
  name: z.string(),
  mime_type: z.string(),
  size_bytes: z.int(),
  created_at: Timestamp,
});

export type ChatFile = z.infer<typeof ChatFile>;

/** The last thing that the agent did, as a list shows it. */
export const ChatAction = z.object({
  /** Absent: it wrote. */
  tool_name: z.string().optional(),
  /** Of a call: its command, path or the like. Else the beginning of what it wrote. */
  subject: z.string().max(CHAT_ACTION_SUBJECT_MAX),
  at: Timestamp,
  /** The call has a result. */
  is_done: z.boolean(),
});
export type ChatAction = z.infer<typeof ChatAction>;

/** What the chat and its children changed in the repositories of its workspace, as last looked at. */
export const ChatDiffStatus = z.object({
  /** Lines, compared with what the chat found: committed, in the work tree, and of new files. */
  additions: Count,
  deletions: Count,
  changed_files: Count,
  /** More changed than was counted. */
  is_cut: z.boolean(),
  repositories: Count,
  /** Of the one repository, or of the one that changed most. Empty: none, as on a detached head. */
  git_branch: z.string(),
  /** Without any name or password. */
  git_remote_origin: z.string(),
  /** Commits of that branch and of its upstream that the other has not. */
  ahead: Count,
  behind: Count,
  refreshed_at: Timestamp,
});
export type ChatDiffStatus = z.infer<typeof ChatDiffStatus>;

/** In micro-dollars, as the gateway recorded it. */
const CostFields = {
  /** Of requests with a known price. Null: there are requests, and none has one. */
  total_cost_micros: z.int().nullable(),
  request_count: z.int(),
  /** Requests whose price is not known: `total_cost_micros` is without them. */
  unpriced_request_count: z.int(),
};

const ChatFields = {
  id: z.uuid(),
  organization_id: z.uuid(),
  owner_id: z.uuid(),
  owner_username: z.string().optional(),
  workspace_id: z.uuid().optional(),
  agent_id: z.uuid().optional(),
  parent_chat_id: z.uuid().optional(),
  root_chat_id: z.uuid().optional(),
  last_model_config_id: z.uuid(),
  last_reasoning_effort: ReasoningEffort.optional(),
  title: z.string(),
  status: z.enum(CHAT_STATUSES),
  mode: z.enum(CHAT_MODES).optional(),
  plan_mode: z.literal("plan").optional(),
  last_error: ChatError.optional(),
  last_turn_summary: z.string().nullable(),
  created_at: Timestamp,
  updated_at: Timestamp,
  archived: z.boolean(),
  /** Others than its owner may read it. */
  shared: z.boolean(),
  pin_order: z.int(),
  mcp_server_ids: z.array(z.uuid()),
  labels: z.record(z.string(), z.string()),
  has_unread: z.boolean(),
  inbox_section: z.enum(CHAT_INBOX_SECTIONS),
  /** Since when it stands there: how long it works, waits or rests. */
  inbox_since: Timestamp,
  /** What the last turn ended with that only a person can answer. */
  asks: z.enum(CHAT_ASKS).optional(),
  last_action: ChatAction.optional(),
  /** A wait before the next attempt. */
  retry: ChatRetry.optional(),
  /** What the last call of the model held, with its answer, and what the chat's model takes. */
  context_tokens: Count.optional(),
  context_limit: Count.optional(),
  client_type: z.enum(CHAT_CLIENT_TYPES),
  /** The person's message that its turn answers, or answered last: what a turn is known by. */
  turn_message_id: z.int().optional(),
  /** Messages that wait until the chat is free. */
  queue_length: z.int(),
  /** Runnable, and waits for a slot. Not told of children. */
  queued_for_capacity: z.boolean().optional(),
  /** What it and its children cost so far. Not on children; absent where nothing was recorded. */
  cost: z.object(CostFields).optional(),
  /** Not on children; absent while nothing is known, or where no repository is. */
  diff_status: ChatDiffStatus.optional(),
  /** Only on the single chat. */
  files: z.array(ChatFile).optional(),
  warnings: z.array(z.string()).optional(),
};
const ChildChat = z.object({ ...ChatFields, children: z.tuple([]) });
export const Chat = z.object({ ...ChatFields, children: z.array(ChildChat) });
export type Chat = z.infer<typeof Chat>;

export const ChatInputPart = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: z.string().min(1) }),
  z.strictObject({ type: z.literal("file"), file_id: z.uuid() }),
  z.strictObject({
    type: z.literal("file-reference"),
    file_name: z.string().min(1).max(4_096),
    start_line: z.int().min(1),
    end_line: z.int().min(1),
    content: z.string(),
  }),
]);
export type ChatInputPart = z.infer<typeof ChatInputPart>;
export const ChatContent = z.array(ChatInputPart).min(1).max(1_000);

export const DynamicTool = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "1 to 64 of a-z A-Z 0-9 _ -"),
  description: z.string().max(10_000).optional(),
  input_schema: z.record(z.string(), z.unknown()),
});
export type DynamicTool = z.infer<typeof DynamicTool>;

/** A repeat of a request with the same key is answered as the first was, and does nothing. */
const IdempotencyKey = { idempotency_key: z.string().min(1).max(128).optional() };

export const CreateChat = z.strictObject({
  organization_id: z.uuid().optional(),
  content: ChatContent,
  system_prompt: z.string().max(CHAT_SYSTEM_PROMPT_MAX).optional(),
  workspace_id: z.uuid().optional(),
  model_config_id: z.uuid().optional(),
  reasoning_effort: ReasoningEffort.optional(),
  mcp_server_ids: z.array(z.uuid()).max(100).optional(),
  labels: ChatLabels.optional(),
  unsafe_dynamic_tools: z.array(DynamicTool).max(CHAT_DYNAMIC_TOOLS_MAX).optional(),
  plan_mode: z.literal("plan").optional(),
  client_type: z.enum(CHAT_CLIENT_TYPES).default("api"),
  ...IdempotencyKey,
});

/** Of all that lets an agent work. */
export const BEGINS = ["chat.state_conflict", "chat.usage_limit_reached"] as const;

export const createChat = endpoint({
  tag: "chats",
  summary: "Create a chat; it begins to work at once",
  method: "POST",
  path: "/api/v2/chats",
  aliases: ["/api/experimental/chats"],
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: CreateChat,
  bodyBytesMax: CHAT_CREATE_BYTES_MAX,
  success: { status: 201, body: Chat },
  failures: ["chat.model_missing", "chat.request_key_reused", ...BEGINS],
  audit: { action: "create", resource: "chat" },
});

export const listChats = endpoint({
  tag: "chats",
  summary: "List one's own chats: pinned ones first, then the latest",
  method: "GET",
  path: "/api/v2/chats",
  aliases: ["/api/experimental/chats"],
  access: "signed_in",
  params: NoParams,
  query: z.strictObject({
    q: z.string().max(1_024).optional(),
    /** `key:value`, several times: all of them. */
    label: z.union([z.string(), z.array(z.string())]).optional(),
    limit: limitOf(50, 200),
    offset: z.coerce.number().int().min(0).max(1_000_000).optional(),
    after_id: z.uuid().optional(),
  }),
  body: null,
  success: { status: 200, body: z.array(Chat) },
  failures: [],
  audit: null,
});

export const CHATS_BY_WORKSPACE_MAX = 25;

export const listChatsByWorkspace = endpoint({
  tag: "chats",
  summary: "Of each workspace, the chat that worked in it last and is not archived",
  method: "GET",
  path: "/api/v2/chats/by-workspace",
  aliases: ["/api/experimental/chats/by-workspace"],
  access: "signed_in",
  params: NoParams,
  query: z.strictObject({
    /** Ids with commas between them. */
    workspace_ids: z
      .string()
      .max(1_024)
      .transform((text) => text.split(",").filter((id) => id !== ""))
      .pipe(z.array(z.uuid()).max(CHATS_BY_WORKSPACE_MAX)),
  }),
  body: null,
  /** By the workspace's id; those without such a chat are left out. */
  success: { status: 200, body: z.record(z.uuid(), Chat) },
  failures: [],
  audit: null,
});

export const getChat = endpoint({
  tag: "chats",
  summary: "Show a chat",
  method: "GET",
  path: "/api/v2/chats/:chat",
  aliases: ["/api/experimental/chats/:chat"],
  access: "chat:read",
  params: ChatParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: Chat },
  failures: [],
  audit: null,
});

export const updateChat = endpoint({
  tag: "chats",
  summary: "Change a chat's title, archive, workspace, pin, labels or plan mode",
  method: "PATCH",
  path: "/api/v2/chats/:chat",
  aliases: ["/api/experimental/chats/:chat"],
  access: "chat:update",
  params: ChatParams,
  query: NoQuery,
  body: z.strictObject({
    title: z.string().trim().min(1).max(CHAT_TITLE_MAX).optional(),
    archived: z.boolean().optional(),
    workspace_id: z.uuid().nullable().optional(),
    pin_order: z.int().min(0).optional(),
    labels: ChatLabels.nullable().optional(),
    /** Empty: no longer. */
    plan_mode: z.enum(["plan", ""]).optional(),
  }),
  success: { status: 204, body: null },
  failures: ["chat.state_conflict"],
  audit: { action: "write", resource: "chat" },
});

export const listChatMessages = endpoint({
  tag: "chats",
  summary: "Messages of a chat, the latest first; oldest first with `after_id` alone",
  method: "GET",
  path: "/api/v2/chats/:chat/messages",
  aliases: ["/api/experimental/chats/:chat/messages"],
  access: "chat:read",
  params: ChatParams,
  query: z.strictObject({
    before_id: ChatMessageId.optional(),
    after_id: z.coerce.number().int().nonnegative().optional(),
    limit: limitOf(50, 200),
  }),
  body: null,
  success: {
    status: 200,
    body: z.object({
      messages: z.array(ChatMessage),
      /** Only without a cursor. */
      queued_messages: z.array(ChatQueuedMessage),
      has_more: z.boolean(),
    }),
  },
  failures: [],
  audit: null,
});

export const listChatPrompts = endpoint({
  tag: "chats",
  summary: "What the owner wrote in a chat, the latest first",
  method: "GET",
  path: "/api/v2/chats/:chat/prompts",
  aliases: ["/api/experimental/chats/:chat/prompts"],
  access: "chat:read",
  params: ChatParams,
  query: z.strictObject({ limit: limitOf(500, 2_000) }),
  body: null,
  success: {
    status: 200,
    body: z.object({ prompts: z.array(z.object({ id: z.int(), text: z.string() })) }),
  },
  failures: [],
  audit: null,
});

export const sendChatMessage = endpoint({
  tag: "chats",
  summary: "Send a message; while the chat is busy it is queued",
  method: "POST",
  path: "/api/v2/chats/:chat/messages",
  aliases: ["/api/experimental/chats/:chat/messages"],
  access: "chat:update",
  provesCaller: true,
  params: ChatParams,
  query: NoQuery,
  body: z.strictObject({
    content: ChatContent,
    model_config_id: z.uuid().optional(),
    reasoning_effort: ReasoningEffort.optional(),
    /** Null: as they are. */
    mcp_server_ids: z.array(z.uuid()).max(100).nullable().optional(),
    busy_behavior: z.enum(["queue", "interrupt"]).default("queue"),
    plan_mode: z.enum(["plan", ""]).optional(),
    ...IdempotencyKey,
  }),
  success: {
    status: 200,
    body: z.object({
      queued: z.boolean(),
      message: ChatMessage.optional(),
      messages: z.array(ChatMessage).optional(),
      queued_message: ChatQueuedMessage.optional(),
      warnings: z.array(z.string()).optional(),
    }),
  },
  failures: ["chat.queue_full", "chat.request_key_reused", ...BEGINS],
  audit: { action: "write", resource: "chat" },
});

export const editChatMessage = endpoint({
  tag: "chats",
  summary: "Replace a message of one's own; what came after it is gone",
  method: "PATCH",
  path: "/api/v2/chats/:chat/messages/:message",
  aliases: ["/api/experimental/chats/:chat/messages/:message"],
  access: "chat:update",
  params: z.strictObject({ chat: z.uuid(), message: ChatMessageId }),
  query: NoQuery,
  body: z.strictObject({
    content: ChatContent,
    model_config_id: z.uuid().optional(),
    reasoning_effort: ReasoningEffort.optional(),
    mcp_server_ids: z.array(z.uuid()).max(100).nullable().optional(),
  }),
  success: {
    status: 200,
    body: z.object({
      message: ChatMessage,
      messages: z.array(ChatMessage).optional(),
      deleted_message_ids: z.array(z.int()).optional(),
      warnings: z.array(z.string()).optional(),
    }),
  },
  failures: [...BEGINS],
  audit: { action: "write", resource: "chat" },
});

const chatAction = <const Path extends string, Body extends z.ZodType | null>(
  path: Path,
  summary: string,
  body: Body,
) =>
  endpoint({
    tag: "chats",
    summary,
    method: "POST",
    path: `/api/v2/chats/:chat/${path}`,
    aliases: [`/api/experimental/chats/:chat/${path}`],
    access: "chat:update",
    params: ChatParams,
    query: NoQuery,
    body,
    success: { status: 200, body: Chat },
    failures: ["chat.state_conflict"],
    audit: { action: "write", resource: "chat" },
  });

export const interruptChat = chatAction(
  "interrupt",
  "Stop the work; what was written so far stays",
  z
    .strictObject({
      /** The turn that is meant. Once another message is answered, nothing is stopped any more. */
      turn_message_id: z.int().positive().optional(),
    })
    .optional(),
);
export const compactChat = chatAction(
  "compact",
  "Summarise the history so far, to free context",
  null,
);
export const clearChat = chatAction(
  "clear",
  "Begin with an empty context; the history stays visible",
  null,
);
export const reconcileChat = chatAction(
  "reconcile-invalid",
  "Bring a chat out of an impossible state",
  null,
);

export const submitChatToolResults = endpoint({
  tag: "chats",
  summary: "Give the results of the tools that the client runs itself",
  method: "POST",
  path: "/api/v2/chats/:chat/tool-results",
  aliases: ["/api/experimental/chats/:chat/tool-results"],
  access: "chat:update",
  params: ChatParams,
  query: NoQuery,
  body: z.strictObject({
    results: z
      .array(
        z.strictObject({
          tool_call_id: z.string().min(1),
          output: z.unknown(),
          is_error: z.boolean().default(false),
        }),
      )
      .min(1),
  }),
  success: { status: 204, body: null },
  failures: ["chat.state_conflict"],
  audit: { action: "write", resource: "chat" },
});

export const proposeChatTitle = endpoint({
  tag: "chats",
  summary: "A title for the chat, by a model; nothing is stored",
  method: "POST",
  path: "/api/v2/chats/:chat/title/propose",
  aliases: ["/api/experimental/chats/:chat/title/propose"],
  access: "chat:update",
  params: ChatParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ title: z.string() }) },
  failures: ["chat.model_failed"],
  audit: null,
});

export const getChatCost = endpoint({
  tag: "chats",
  summary: "What a chat and its children cost so far, and its owner's chats this month",
  method: "GET",
  path: "/api/v2/chats/:chat/cost",
  aliases: ["/api/experimental/chats/:chat/cost"],
  access: "chat:read",
  params: ChatParams,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    body: z.object({
      /** The chat itself, or the one above it. */
      chat_id: z.uuid(),
      ...CostFields,
      /** Of all chats of its owner, since this month began in UTC. */
      month: z.object({ from: z.iso.date(), ...CostFields }),
    }),
  },
  failures: [],
  audit: null,
});
