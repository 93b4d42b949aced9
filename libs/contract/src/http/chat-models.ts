/**
 * The models that chats can use: who may use which, which is the usual one, and which serves certain
 * work in place of a chat's own. Spec agents 4.7, 8.8. Where a path names no organization, the default
 * one is meant.
 */
import { z } from "zod";
import { ReasoningEffort } from "../chat/chat-words.ts";
import { ChatModelCallConfig } from "../chat/model-call-config.ts";
import { endpoint } from "../endpoint.ts";
import { MODEL_PROVIDER_TYPES } from "./ai-providers.ts";
import { NoQuery, Timestamp, UserRef } from "./common.ts";

export const MODEL_UNAVAILABLE_REASONS = [
  /** The provider takes one's own key, and there is none. */
  "user_api_key_required",
  "missing_api_key",
  "provider_disabled",
  /** Whether there is a key could not be found out. */
  "fetch_failed",
] as const;
export type ModelUnavailableReason = (typeof MODEL_UNAVAILABLE_REASONS)[number];

export const MODEL_OVERRIDE_CONTEXTS = [
  "general",
  "explore",
  "title_generation",
  "compaction",
  "advisor",
] as const;
export type ModelOverrideContext = (typeof MODEL_OVERRIDE_CONTEXTS)[number];

export const USER_MODEL_OVERRIDE_CONTEXTS = ["root", "general", "explore"] as const;
export type UserModelOverrideContext = (typeof USER_MODEL_OVERRIDE_CONTEXTS)[number];

export const USER_MODEL_OVERRIDE_MODES = ["deployment_default", "chat_default", "model"] as const;
export type UserModelOverrideMode = (typeof USER_MODEL_OVERRIDE_MODES)[number];

export const ChatModel = z.object({
  id: z.uuid(),
  organization_id: z.uuid(),
  ai_provider_id: z.uuid().nullable(),
  /** The provider's type. */
  provider: z.string(),
  model: z.string(),
  display_name: z.string(),
  enabled: z.boolean(),
  is_default: z.boolean(),
  /** Tokens. */
  context_limit: z.int(),
  /** Percent of the context at which older history is summarised. */
  compression_threshold: z.int(),
  /** What may be chosen, least first. Empty: nothing. */
  reasoning_efforts: z.array(ReasoningEffort),
  default_reasoning_effort: ReasoningEffort.optional(),
  /** Whether whoever asks can use it now. */
  available: z.boolean(),
  unavailable_reason: z.enum(MODEL_UNAVAILABLE_REASONS).optional(),
  /** Only for those who may read all models. */
  options: ChatModelCallConfig.optional(),
  created_at: Timestamp,
  updated_at: Timestamp,
});
export type ChatModel = z.output<typeof ChatModel>;

/** A model provider, without anything secret. */
export const ChatModelProvider = z.object({
  id: z.uuid(),
  name: z.string(),
  type: z.enum(MODEL_PROVIDER_TYPES),
  display_name: z.string(),
  enabled: z.boolean(),
  has_api_key: z.boolean(),
  has_user_api_key: z.boolean(),
  has_effective_api_key: z.boolean(),
  allow_user_api_key: z.boolean(),
  available: z.boolean(),
  unavailable_reason: z.enum(MODEL_UNAVAILABLE_REASONS).optional(),
  warnings: z.array(z.string()),
});
export type ChatModelProvider = z.output<typeof ChatModelProvider>;

const Organization = z.string().min(1).max(64).default("default").meta({
  description: "Its id, or `default`.",
});
const OrganizationParams = z.strictObject({ organization: Organization });
const ModelParams = OrganizationParams.extend({ model: z.uuid() });

const ModelFields = {
  ai_provider_id: z.uuid(),
  model: z.string().trim().min(1).max(256),
  display_name: z.string().trim().max(128),
  enabled: z.boolean(),
  is_default: z.boolean(),
  context_limit: z.int().min(1).max(1_000_000_000),
  compression_threshold: z.int().min(0).max(100),
  options: ChatModelCallConfig,
};

export const listChatModels = endpoint({
  tag: "chat-models",
  summary: "List the models that one can use in chats; those who may read all see all",
  method: "GET",
  path: "/api/v2/organizations/:organization/chats/models",
  aliases: [
    "/api/v2/chats/models",
    "/api/experimental/chats/models",
    "/api/experimental/chats/model-configs",
  ],
  access: "signed_in",
  params: OrganizationParams,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    body: z.object({
      models: z.array(ChatModel),
      providers: z.array(ChatModelProvider),
      /** They serve the gateway's clients, and no chats. */
      unsupported_providers: z.array(ChatModelProvider),
      count: z.int(),
    }),
  },
  failures: [],
  audit: null,
});

export const createChatModel = endpoint({
  tag: "chat-models",
  summary: "Add a model for chats; the first one becomes the default",
  method: "POST",
  path: "/api/v2/organizations/:organization/chats/models",
  aliases: ["/api/experimental/chats/model-configs"],
  access: "chat_model:update",
  params: OrganizationParams,
  query: NoQuery,
  body: z.strictObject({
    ai_provider_id: ModelFields.ai_provider_id,
    model: ModelFields.model,
    context_limit: ModelFields.context_limit,
    display_name: ModelFields.display_name.optional(),
    enabled: ModelFields.enabled.default(true),
    is_default: ModelFields.is_default.default(false),
    /** Absent: 70, or 30 for a context of 500000 tokens and more. */
    compression_threshold: ModelFields.compression_threshold.optional(),
    options: ModelFields.options.optional(),
  }),
  success: { status: 201, body: ChatModel },
  failures: [],
  audit: { action: "create", resource: "chat_model" },
});

export const getChatModel = endpoint({
  tag: "chat-models",
  summary: "One model for chats",
  method: "GET",
  path: "/api/v2/organizations/:organization/chats/models/:model",
  aliases: ["/api/experimental/chats/model-configs/:model"],
  access: "signed_in",
  params: ModelParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: ChatModel },
  failures: [],
  audit: null,
});

export const updateChatModel = endpoint({
  tag: "chat-models",
  summary: "Change a model for chats; what is absent stays",
  method: "PATCH",
  path: "/api/v2/organizations/:organization/chats/models/:model",
  aliases: ["/api/experimental/chats/model-configs/:model"],
  access: "chat_model:update",
  params: ModelParams,
  query: NoQuery,
  body: z.strictObject(ModelFields).partial(),
  success: { status: 200, body: ChatModel },
  failures: [],
  audit: { action: "write", resource: "chat_model" },
});

export const deleteChatModel = endpoint({
  tag: "chat-models",
  summary: "Delete a model for chats; another one becomes the default if it was",
  method: "DELETE",
  path: "/api/v2/organizations/:organization/chats/models/:model",
  aliases: ["/api/experimental/chats/model-configs/:model"],
  access: "chat_model:update",
  params: ModelParams,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: ["chat_model.in_use"],
  audit: { action: "delete", resource: "chat_model" },
});

export const ModelOverride = z.object({
  context: z.enum(MODEL_OVERRIDE_CONTEXTS),
  /** Empty: the chat's own model serves. */
  model_config_id: z.union([z.uuid(), z.literal("")]),
  reasoning_effort: ReasoningEffort.optional(),
});

export const listModelOverrides = endpoint({
  tag: "chat-models",
  summary: "Which models serve certain work in place of a chat's own",
  method: "GET",
  path: "/api/v2/organizations/:organization/chats/model-overrides",
  access: "chat_model:read",
  params: OrganizationParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ overrides: z.array(ModelOverride) }) },
  failures: [],
  audit: null,
});

export const setModelOverride = endpoint({
  tag: "chat-models",
  summary: "Choose the model for certain work, or with an empty id none",
  method: "PUT",
  path: "/api/v2/organizations/:organization/chats/model-overrides/:context",
  access: "chat_model:update",
  params: OrganizationParams.extend({ context: z.enum(MODEL_OVERRIDE_CONTEXTS) }),
  query: NoQuery,
  body: z.strictObject({
    model_config_id: ModelOverride.shape.model_config_id,
    reasoning_effort: ReasoningEffort.optional(),
  }),
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "chat_model" },
});

export const UserModelOverride = z.object({
  context: z.enum(USER_MODEL_OVERRIDE_CONTEXTS),
  mode: z.enum(USER_MODEL_OVERRIDE_MODES),
  model_config_id: z.uuid().optional(),
  reasoning_effort: ReasoningEffort.optional(),
});

const MemberParams = OrganizationParams.extend({ user: UserRef });

export const listUserModelOverrides = endpoint({
  tag: "chat-models",
  summary: "Which models somebody chose for chats of theirs",
  method: "GET",
  path: "/api/v2/organizations/:organization/members/:user/chats/model-overrides",
  access: "chat:read",
  params: MemberParams,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    body: z.object({
      overrides: z.array(UserModelOverride),
      /** False: administrators do not let people choose, and what was chosen does not count. */
      is_allowed: z.boolean().default(true),
    }),
  },
  failures: [],
  audit: null,
});

export const setUserModelOverride = endpoint({
  tag: "chat-models",
  summary: "Choose the model for certain work in one's own chats",
  method: "PUT",
  path: "/api/v2/organizations/:organization/members/:user/chats/model-overrides/:context",
  access: "chat:update",
  params: MemberParams.extend({ context: z.enum(USER_MODEL_OVERRIDE_CONTEXTS) }),
  query: NoQuery,
  body: z
    .strictObject({
      mode: z.enum(USER_MODEL_OVERRIDE_MODES),
      model_config_id: z.uuid().optional(),
      reasoning_effort: ReasoningEffort.optional(),
    })
    .refine(
      ({ mode, model_config_id }) => (mode === "model") === (model_config_id !== undefined),
      "`model_config_id` belongs to the mode `model`.",
    ),
  success: { status: 204, body: null },
  failures: ["chat_model.own_choice_off"],
  audit: { action: "write", resource: "chat_model" },
});

/** What the chat daemon answers of this. */
export const CHAT_MODEL_ENDPOINTS = {
  listChatModels,
  createChatModel,
  getChatModel,
  updateChatModel,
  deleteChatModel,
  listModelOverrides,
  setModelOverride,
  listUserModelOverrides,
  setUserModelOverride,
};
