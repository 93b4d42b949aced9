/** Who has the model calls of chats recorded, and for how long that is kept: spec agents 4.6 and 9.5. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { CHAT_DAYS_MAX } from "./chat-settings.ts";
import { NoParams, NoQuery } from "./common.ts";

export const CHAT_DEBUG_DAYS_DEFAULT = 30;

export const getChatDebugRetentionDays = endpoint({
  tag: "chat settings",
  summary: "For how many days recorded model calls are kept; 0: for ever",
  method: "GET",
  path: "/api/v2/chats/config/debug-retention-days",
  aliases: ["/api/experimental/chats/config/debug-retention-days"],
  access: "chat_setting:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    /** False: nobody decided. */
    body: z.object({ debug_retention_days: z.int(), is_set: z.boolean() }),
  },
  failures: [],
  audit: null,
});

export const putChatDebugRetentionDays = endpoint({
  tag: "chat settings",
  summary:
    "Choose for how many days recorded model calls are kept, whatever becomes of their chats; 0: for ever, null: the usual time",
  method: "PUT",
  path: "/api/v2/chats/config/debug-retention-days",
  aliases: ["/api/experimental/chats/config/debug-retention-days"],
  access: "chat_setting:update",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({ debug_retention_days: z.int().min(0).max(CHAT_DAYS_MAX).nullable() }),
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

export const ChatDebugLogging = z.object({
  /** Whether people may have the model calls of their own chats recorded. */
  allow_users: z.boolean(),
  /** The server's option records all chats, whatever is decided here. */
  forced_by_deployment: z.boolean(),
});

export const getChatDebugLogging = endpoint({
  tag: "chat settings",
  summary: "Whether people may have the model calls of their chats recorded",
  method: "GET",
  path: "/api/v2/chats/config/debug-logging",
  aliases: ["/api/experimental/chats/config/debug-logging"],
  access: "chat_setting:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: ChatDebugLogging },
  failures: [],
  audit: null,
});

export const putChatDebugLogging = endpoint({
  tag: "chat settings",
  summary: "Let people have the model calls of their chats recorded, or not",
  method: "PUT",
  path: "/api/v2/chats/config/debug-logging",
  aliases: ["/api/experimental/chats/config/debug-logging"],
  access: "chat_setting:update",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({ allow_users: z.boolean() }),
  success: { status: 204, body: null },
  failures: [],
  audit: { action: "write", resource: "chat_setting" },
});

export const ChatUserDebugLogging = z.object({
  /** What the person chose. It counts where it is allowed. */
  enabled: z.boolean(),
  allowed: z.boolean(),
  forced_by_deployment: z.boolean(),
});

export const getChatUserDebugLogging = endpoint({
  tag: "chat settings",
  summary: "Whether the model calls of one's own chats are recorded",
  method: "GET",
  path: "/api/v2/chats/config/user-debug-logging",
  aliases: ["/api/experimental/chats/config/user-debug-logging"],
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: { status: 200, body: ChatUserDebugLogging },
  failures: [],
  audit: null,
});

export const putChatUserDebugLogging = endpoint({
  tag: "chat settings",
  summary: "Have the model calls of one's own chats recorded, or not",
  method: "PUT",
  path: "/api/v2/chats/config/user-debug-logging",
  aliases: ["/api/experimental/chats/config/user-debug-logging"],
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: z.strictObject({ enabled: z.boolean() }),
  success: { status: 200, body: ChatUserDebugLogging },
  failures: ["chat_debug.forced", "chat_debug.not_allowed"],
  audit: { action: "write", resource: "chat_setting" },
});
