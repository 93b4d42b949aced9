/** Reads the hints that are sent when a chat has changed. */
import { z } from "zod";
import { CHAT_STATUSES } from "@atelier/contract/chat/chat-words";
import type { ChatUpdate } from "./chat-machine.ts";

const Update = z.object({
  chat_id: z.string(),
  snapshot_version: z.int(),
  worker_id: z.string().nullable(),
  runner_id: z.string().nullable(),
  history_version: z.int(),
  queue_version: z.int(),
  retry_state_version: z.int(),
  generation_attempt: z.int(),
  status: z.enum(CHAT_STATUSES),
  archived: z.boolean(),
});

/** Null: a server of another version says it differently. Whoever hears it reads the database. */
export function parseChatUpdate(payload: string): ChatUpdate | null {
  try {
    return Update.parse(JSON.parse(payload));
  } catch {
    return null;
  }
}
