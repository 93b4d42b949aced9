/** What people type to search their chats, as terms; and labels as they are written in a URL. */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  CHAT_INBOX_SECTIONS,
  CHAT_STATUSES,
  type ChatStatus,
} from "@atelier/contract/chat/chat-words";
import type { Failure } from "@atelier/contract/failures";
import { parseSearch } from "@atelier/contract/search-query";
import { z } from "zod";
import type { ChatFilter } from "./shown-chat.ts";

const Terms = z.object({
  title: z.string().optional(),
  /** In titles, and in what was said. */
  search: z.string().optional(),
  source: z.enum(["created_by_me", "shared_with_me"]).default("created_by_me"),
  archived: z.enum(["true", "false", "any"]).default("false"),
  has_unread: z.enum(["true", "false"]).optional(),
  /** Several, separated by commas. */
  status: z
    .string()
    .transform((text) => text.split(",").map((word) => word.trim()))
    .pipe(z.array(z.enum(CHAT_STATUSES)))
    .optional(),
  /** Of the inbox. Then those that need somebody come longest waiting first, others latest first. */
  section: z.enum(CHAT_INBOX_SECTIONS).optional(),
});

export type ChatSearch = Omit<ChatFilter, "userId">;

export function parseChatSearch(
  text: string,
  labels: readonly string[],
): Result<ChatSearch, Failure<"request.invalid">> {
  const terms = parseSearch(text, Terms);
  if (!terms.ok) return terms;
  const wanted = new Map<string, string>();
  for (const label of labels) {
    const colon = label.indexOf(":");
    const key = label.slice(0, colon);
    if (colon < 1 || (wanted.has(key) && wanted.get(key) !== label.slice(colon + 1))) {
      const detail = "Write each label as key:value, each key once.";
      return fail({ code: "request.invalid", validations: [{ field: "label", detail }] });
    }
    wanted.set(key, label.slice(colon + 1));
  }
  const { title, search, source, archived, has_unread: hasUnread, status, section } = terms.value;
  if (source === "shared_with_me" && (section ?? hasUnread) !== undefined) {
    const detail =
      "Chats of others are in no section of yours, and how far they were read is their owners'.";
    return fail({ code: "request.invalid", validations: [{ field: "q", detail }] });
  }
  if (title !== undefined && search !== undefined) {
    const detail = '"search" looks into titles, too: leave "title" out.';
    return fail({ code: "request.invalid", validations: [{ field: "q", detail }] });
  }
  const statuses: readonly ChatStatus[] | undefined = status;
  return ok({
    source: source === "created_by_me" ? "own" : "shared",
    titlePart: title,
    searched: search,
    archived: archived === "any" ? undefined : archived === "true",
    hasUnread: hasUnread === undefined ? undefined : hasUnread === "true",
    statuses,
    section,
    labels: Object.fromEntries(wanted),
  });
}
