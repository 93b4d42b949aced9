/** With whom a chat is shared: spec agents 9.3. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { ChatParams } from "./chats.ts";
import { NoQuery } from "./common.ts";

/** Of one chat. A guess at more than anybody needs. */
export const CHAT_READERS_MAX = 100;

const ChatReader = z.object({
  id: z.uuid(),
  username: z.string(),
  name: z.string(),
  /** They look, and do nothing else. */
  role: z.literal("read"),
});
export type ChatReader = z.output<typeof ChatReader>;

const ACL = {
  tag: "chats",
  path: "/api/v2/chats/:chat/acl",
  aliases: ["/api/experimental/chats/:chat/acl"],
  params: ChatParams,
  query: NoQuery,
} as const;

export const getChatAcl = endpoint({
  ...ACL,
  summary: "With whom a chat is shared; a child is shared with its root",
  method: "GET",
  access: "chat:read",
  body: null,
  success: {
    status: 200,
    body: z.object({
      /** Where it is off nobody but the owner and administrators reads a chat, whoever stands here. */
      sharing_enabled: z.boolean(),
      /** By username. */
      users: z.array(ChatReader),
    }),
  },
  failures: [],
  audit: null,
});

export const updateChatAcl = endpoint({
  ...ACL,
  summary: "Share a chat with people who may then read it and its children, or stop sharing it",
  method: "PATCH",
  access: "chat:update",
  body: z.strictObject({
    /** By id or username: `read`, or empty for no longer. Who is not named stays. */
    user_roles: z
      .record(z.string().min(1).max(64), z.enum(["read", ""]))
      .refine((roles) => Object.keys(roles).length <= CHAT_READERS_MAX, "At most 100 people."),
  }),
  success: { status: 204, body: null },
  failures: ["chat.sharing_disabled"],
  audit: { action: "write", resource: "chat" },
});
