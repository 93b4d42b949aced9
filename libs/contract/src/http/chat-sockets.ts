/** What of chats stays open: the stream of one, and the news of all of one's own. */
import { z } from "zod";
import { socketEndpoint } from "../socket-endpoint.ts";
import { ChatParams } from "./chats.ts";
import { NoParams, NoQuery } from "./common.ts";

/** `history_version.generation_attempt.seq` of the last part that the viewer holds. */
export const PART_CURSOR_PATTERN = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;

export const streamChat = socketEndpoint({
  tag: "chats",
  summary: "Watch a chat at work",
  description:
    "Server: texts that are JSON arrays of at most 256 events (`ChatStreamEvent`), beginning with what the viewer does not hold. The client says nothing. Closed with 4404 when the chat is gone, and with 1012 when another server should be asked.",
  transport: "websocket",
  path: "/api/v2/chats/:chat/stream",
  access: "chat:read",
  params: ChatParams,
  query: z.strictObject({
    /** The viewer holds messages up to this one. */
    after_id: z.coerce.number().int().nonnegative().default(0),
    /** The viewer holds parts up to this one: `history_version.generation_attempt.seq`. */
    after_part: z.string().regex(PART_CURSOR_PATTERN).optional(),
  }),
});

export const watchChats = socketEndpoint({
  tag: "chats",
  summary: "News of one's own chats",
  description:
    'Server: texts of JSON `{kind, chat}`; kinds created, deleted, status_change, title_change, summary_change, action_required, read, diff_status_change, action_change. Of a chat that works, the last comes at most once a second. The first is `{kind: "ready"}`: what happened before is in the list of chats. The client says nothing.',
  transport: "websocket",
  path: "/api/v2/chats/watch",
  access: "chat:read",
  subject: "self",
  params: NoParams,
  query: NoQuery,
});

export const CHAT_NEWS_KINDS = [
  "created",
  "deleted",
  "status_change",
  "title_change",
  "summary_change",
  "action_required",
  /** Its owner has seen its latest answer. */
  "read",
  /** What it changed in its workspace is another number now. */
  "diff_status_change",
  /** What it did last, while it works: no more often than every second. */
  "action_change",
] as const;
export type ChatNewsKind = (typeof CHAT_NEWS_KINDS)[number];

/** The code of a WebSocket that is closed because its chat is gone. */
export const CLOSE_CHAT_GONE = 4404;
