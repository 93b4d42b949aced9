/** The words of chats that are stored, sent and shown. */
import { z } from "zod";

export const CHAT_STATUSES = [
  "waiting",
  "running",
  "interrupting",
  "requires_action",
  "error",
] as const;
export type ChatStatus = (typeof CHAT_STATUSES)[number];

/** Where a chat stands in its owner's inbox. */
export const CHAT_INBOX_SECTIONS = [
  /** It asks, waits for its client, or gave up. */
  "needs_you",
  "working",
  /** Done, with an answer that the owner has not seen. */
  "unreviewed",
  "idle",
] as const;
export type ChatInboxSection = (typeof CHAT_INBOX_SECTIONS)[number];

/** What a turn ended with that only a person can answer. */
export const CHAT_ASKS = ["question", "plan"] as const;
export type ChatAsk = (typeof CHAT_ASKS)[number];

export const CHAT_MODES = ["computer_use", "explore"] as const;
export const CHAT_CLIENT_TYPES = ["ui", "api"] as const;

export const CHAT_ERROR_KINDS = [
  "generic",
  "overloaded",
  "rate_limit",
  "timeout",
  "stream_silence_timeout",
  "auth",
  "config",
  "usage_limit",
  "missing_key",
  "provider_disabled",
  "content_filter",
] as const;
export type ChatErrorKind = (typeof CHAT_ERROR_KINDS)[number];

/** From least to most. */
export const REASONING_EFFORTS = [
  "none",
  "minimal",
  "low",
  "medium",
  "high",
  "xhigh",
  "max",
] as const;
export const ReasoningEffort = z.enum(REASONING_EFFORTS);
export type ReasoningEffort = z.infer<typeof ReasoningEffort>;

/** Why a turn ended, or an attempt did not succeed. Shown to people: no keys, no hosts of ours. */
export const ChatError = z.object({
  message: z.string(),
  detail: z.string().max(500).optional(),
  kind: z.enum(CHAT_ERROR_KINDS).optional(),
  provider: z.string().optional(),
  retryable: z.boolean(),
  status_code: z.int().optional(),
});
export type ChatError = z.infer<typeof ChatError>;

/** A wait before the next attempt, as viewers count it down. */
export const ChatRetry = z.object({
  /** Of the attempt that failed, from 1. */
  attempt: z.int(),
  delay_ms: z.int(),
  error: z.string(),
  kind: z.enum(CHAT_ERROR_KINDS).optional(),
  provider: z.string().optional(),
  status_code: z.int().optional(),
  retrying_at: z.iso.datetime(),
});
export type ChatRetry = z.infer<typeof ChatRetry>;
