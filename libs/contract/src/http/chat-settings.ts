/** What administrators decide about chats, and people for their own: spec agents 3.7 and 4.6. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { NoParams, NoQuery } from "./common.ts";

export const SYSTEM_PROMPT_BYTES_MAX = 128 * 1024;

/** Of so many bytes as UTF-8. No text has fewer of them than characters: what fails by those is not encoded. */
const PromptText = z
  .string()
  .max(SYSTEM_PROMPT_BYTES_MAX, { abort: true })
  .refine(
    (text) => new TextEncoder().encode(text).length <= SYSTEM_PROMPT_BYTES_MAX,
    `At most ${SYSTEM_PROMPT_BYTES_MAX} bytes of UTF-8.`,
  );

export const ChatSystemPrompt = z.object({
  system_prompt: z.string(),
  /** Whether the product's own comes first. */
  include_default_system_prompt: z.boolean(),
  default_system_prompt: z.string(),
});

export const getChatSystemPrompt = endpoint({
  tag: "chat settings",
  summary: "What every new chat is told first",
  method: "GET",
  path: "/api/v2/chats/config/system-prompt",
  aliases: ["/api/experimental/chats/config/system-prompt"],
  access: "chat_setting:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: ChatSystemPrompt },
  failures: [],
  audit: null,
});

export const putChatSystemPrompt = endpoint({
  tag: "chat settings",
  summary: "Change what every new chat is told first",
  method: "PUT",
  path: "/api/v2/chats/config/system-prompt",
  aliases: ["/api/experimental/chats/config/system-prompt"],
  access: "chat_setting:update",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({
    system_prompt: PromptText,
    include_default_system_prompt: z.boolean().default(true),
  }),
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

export const getChatPlanInstructions = endpoint({
  tag: "chat settings",
  summary: "What chats in plan mode are told besides",
  method: "GET",
  path: "/api/v2/chats/config/plan-mode-instructions",
  aliases: ["/api/experimental/chats/config/plan-mode-instructions"],
  access: "chat_setting:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ plan_mode_instructions: z.string() }) },
  failures: [],
  audit: null,
});

export const putChatPlanInstructions = endpoint({
  tag: "chat settings",
  summary: "Change what chats in plan mode are told besides",
  method: "PUT",
  path: "/api/v2/chats/config/plan-mode-instructions",
  aliases: ["/api/experimental/chats/config/plan-mode-instructions"],
  access: "chat_setting:update",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({ plan_mode_instructions: PromptText }),
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

export const ChatAdvisor = z.object({
  /** Whether chats may ask a second model for advice. */
  enabled: z.boolean(),
  /** In one turn. 0: as often as the model likes. */
  max_uses_per_run: z.int().min(0).max(1_000),
  max_output_tokens: z.int().min(256).max(1_000_000),
});

export const getChatAdvisor = endpoint({
  tag: "chat settings",
  summary: "Whether chats may ask an advisor, and how much",
  method: "GET",
  path: "/api/v2/chats/config/advisor",
  aliases: ["/api/experimental/chats/config/advisor"],
  access: "chat_setting:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: ChatAdvisor },
  failures: [],
  audit: null,
});

export const putChatAdvisor = endpoint({
  tag: "chat settings",
  summary: "Let chats ask an advisor, or not; its model is the override `advisor`",
  method: "PUT",
  path: "/api/v2/chats/config/advisor",
  aliases: ["/api/experimental/chats/config/advisor"],
  access: "chat_setting:update",
  params: NoParams,
  query: NoQuery,
  body: ChatAdvisor.strict(),
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

export const COMPUTER_USE_PROVIDERS = ["anthropic", "openai"] as const;
export const ChatComputerUseProvider = z.object({ provider: z.enum(COMPUTER_USE_PROVIDERS) });

export const getChatComputerUseProvider = endpoint({
  tag: "chat settings",
  summary: "Whose model agents would use a desktop with",
  method: "GET",
  path: "/api/v2/chats/config/computer-use-provider",
  aliases: ["/api/experimental/chats/config/computer-use-provider"],
  access: "chat_setting:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: ChatComputerUseProvider },
  failures: [],
  audit: null,
});

export const putChatComputerUseProvider = endpoint({
  tag: "chat settings",
  summary: "Choose whose model agents would use a desktop with; workspaces have none yet",
  method: "PUT",
  path: "/api/v2/chats/config/computer-use-provider",
  aliases: ["/api/experimental/chats/config/computer-use-provider"],
  access: "chat_setting:update",
  params: NoParams,
  query: NoQuery,
  body: ChatComputerUseProvider.strict(),
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

export const ChatPersonalModelOverrides = z.object({
  /** Whether people choose models for their own chats. What they chose before stays, and does not count. */
  allow_users: z.boolean(),
});

export const getChatPersonalModelOverrides = endpoint({
  tag: "chat settings",
  summary: "Whether people choose models for their own chats",
  method: "GET",
  path: "/api/v2/chats/config/personal-model-overrides",
  aliases: ["/api/experimental/chats/config/personal-model-overrides"],
  access: "chat_setting:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: ChatPersonalModelOverrides },
  failures: [],
  audit: null,
});

export const putChatPersonalModelOverrides = endpoint({
  tag: "chat settings",
  summary: "Let people choose models for their own chats, or not",
  method: "PUT",
  path: "/api/v2/chats/config/personal-model-overrides",
  aliases: ["/api/experimental/chats/config/personal-model-overrides"],
  access: "chat_setting:update",
  params: NoParams,
  query: NoQuery,
  body: ChatPersonalModelOverrides.strict(),
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

export const CHAT_DAYS_MAX = 3_650;
/** Null goes back to the server's option. */
const Days = z.int().min(0).max(CHAT_DAYS_MAX).nullable();
/** False: the server's option holds, whose part of a day counts as one. */
const IsSet = z.boolean();

export const getChatAutoArchiveDays = endpoint({
  tag: "chat settings",
  summary: "After how many idle days chats are archived; 0: never",
  method: "GET",
  path: "/api/v2/chats/config/auto-archive-days",
  aliases: ["/api/experimental/chats/config/auto-archive-days"],
  access: "chat_setting:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ auto_archive_days: z.int(), is_set: IsSet }) },
  failures: [],
  audit: null,
});

export const putChatAutoArchiveDays = endpoint({
  tag: "chat settings",
  summary: "Choose after how many idle days chats are archived; 0: never, null: as the option says",
  method: "PUT",
  path: "/api/v2/chats/config/auto-archive-days",
  aliases: ["/api/experimental/chats/config/auto-archive-days"],
  access: "chat_setting:update",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({ auto_archive_days: Days }),
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

export const getChatRetentionDays = endpoint({
  tag: "chat settings",
  summary: "For how many days archived chats are kept; 0: for ever",
  method: "GET",
  path: "/api/v2/chats/config/retention-days",
  aliases: ["/api/experimental/chats/config/retention-days"],
  access: "chat_setting:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ retention_days: z.int(), is_set: IsSet }) },
  failures: [],
  audit: null,
});

export const putChatRetentionDays = endpoint({
  tag: "chat settings",
  summary:
    "Choose for how many days archived chats are kept; 0: for ever, null: as the option says",
  method: "PUT",
  path: "/api/v2/chats/config/retention-days",
  aliases: ["/api/experimental/chats/config/retention-days"],
  access: "chat_setting:update",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({ retention_days: Days }),
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

export const getChatUserPrompt = endpoint({
  tag: "chat settings",
  summary: "What one's own chats are told besides",
  method: "GET",
  path: "/api/v2/chats/config/user-prompt",
  aliases: ["/api/experimental/chats/config/user-prompt"],
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ custom_prompt: z.string() }) },
  failures: [],
  audit: null,
});

export const putChatUserPrompt = endpoint({
  tag: "chat settings",
  summary: "Change what one's own chats are told besides",
  method: "PUT",
  path: "/api/v2/chats/config/user-prompt",
  aliases: ["/api/experimental/chats/config/user-prompt"],
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({ custom_prompt: PromptText }),
  success: { status: 200, body: z.object({ custom_prompt: z.string() }) },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

const Threshold = z.object({
  model_config_id: z.uuid(),
  /** Percent of the context at which history is summed up. 100: never by itself. */
  threshold_percent: z.int().min(0).max(100),
});

export const listChatUserThresholds = endpoint({
  tag: "chat settings",
  summary: "When one's own chats sum up their history, by model",
  method: "GET",
  path: "/api/v2/chats/config/user-compaction-thresholds",
  aliases: ["/api/experimental/chats/config/user-compaction-thresholds"],
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: z.object({ thresholds: z.array(Threshold) }) },
  failures: [],
  audit: null,
});

const ThresholdParams = z.strictObject({ modelConfig: z.uuid() });

export const putChatUserThreshold = endpoint({
  tag: "chat settings",
  summary: "Choose when one's own chats with a model sum up their history",
  method: "PUT",
  path: "/api/v2/chats/config/user-compaction-thresholds/:modelConfig",
  aliases: ["/api/experimental/chats/config/user-compaction-thresholds/:modelConfig"],
  access: "signed_in",
  params: ThresholdParams,
  query: NoQuery,
  body: Threshold.pick({ threshold_percent: true }).strict(),
  success: { status: 200, body: Threshold },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

export const deleteChatUserThreshold = endpoint({
  tag: "chat settings",
  summary: "Go back to the model's own threshold",
  method: "DELETE",
  path: "/api/v2/chats/config/user-compaction-thresholds/:modelConfig",
  aliases: ["/api/experimental/chats/config/user-compaction-thresholds/:modelConfig"],
  access: "signed_in",
  params: ThresholdParams,
  query: NoQuery,
  body: null,
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "delete", resource: "chat_setting" },
});
