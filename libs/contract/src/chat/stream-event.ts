/**
 * What a viewer of a chat is told, in order (spec agents 4.4). A viewer that applies every event holds
 * what the database holds, plus the parts that are being written.
 */
import { z } from "zod";
import { ChatMessage, ChatQueuedMessage } from "../http/chats.ts";
import { CHAT_STATUSES, ChatError, ChatRetry } from "./chat-words.ts";
import { MESSAGE_ROLES, MessagePart } from "./message-part.ts";

const About = { chat_id: z.uuid() };

/** A part of the answer that is being written. `seq` counts from 1 without gaps in each episode. */
export const LivePart = z.object({
  role: z.enum(MESSAGE_ROLES),
  part: MessagePart,
  history_version: z.int(),
  generation_attempt: z.int(),
  seq: z.int().min(1),
});
export type LivePart = z.infer<typeof LivePart>;

export const ChatStreamEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("message_part"), ...About, message_part: LivePart }),
  /** New, or in place of the one with its id. */
  z.object({ type: z.literal("message"), ...About, message: ChatMessage }),
  z.object({
    type: z.literal("status"),
    ...About,
    status: z.object({ status: z.enum(CHAT_STATUSES) }),
  }),
  z.object({ type: z.literal("error"), ...About, error: ChatError }),
  /** The whole queue. */
  z.object({
    type: z.literal("queue_update"),
    ...About,
    queued_messages: z.array(ChatQueuedMessage),
  }),
  z.object({ type: z.literal("retry"), ...About, retry: ChatRetry }),
  z.object({
    type: z.literal("action_required"),
    ...About,
    action_required: z.object({
      tool_calls: z.array(
        z.object({ tool_call_id: z.string(), tool_name: z.string(), args: z.unknown() }),
      ),
    }),
  }),
  /** Drop live parts. */
  z.object({ type: z.literal("preview_reset"), ...About }),
  /** Drop messages: all follow anew. */
  z.object({ type: z.literal("history_reset"), ...About }),
]);
export type ChatStreamEvent = z.infer<typeof ChatStreamEvent>;

/** Events travel in arrays of at most this many. */
export const STREAM_BATCH_MAX = 256;
