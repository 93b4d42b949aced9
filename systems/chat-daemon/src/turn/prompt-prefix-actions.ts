/**
 * Keeps the prefixes of chats' prompts, and asks the database only about one that may be another: while
 * this server goes on driving a chat, or takes it again without another in between, nobody else writes down
 * a prefix of it.
 */
import type { Clock } from "@atelier/base/clock";
import type { Database } from "@atelier/database/database";
import { prefixHash, type PromptPrefix } from "../prompt/prompt-prefix.ts";
import { recordPromptPrefix } from "./prompt-prefix-store.ts";

/** Chats whose last prefix is known here. The one that was known first is forgotten first. */
const KNOWN_MAX = 10_000;

type PrefixedChat = {
  readonly id: string;
  readonly historyVersion: number;
  /** Of two that follow each other each is one taking of the chat: nobody drove it in between. */
  readonly fence: number;
};

/** Answers what makes the prefix another than the chat's last. */
export function promptPrefixRecorder({
  database,
  clock,
}: {
  readonly database: Pick<Database, "sql">;
  readonly clock: Clock;
}): (chat: PrefixedChat, prefix: PromptPrefix) => Promise<readonly string[]> {
  const known = new Map<string, { readonly fence: number; readonly hash: string }>();
  return async (chat, prefix) => {
    const hash = prefixHash(prefix);
    const last = known.get(chat.id);
    const takings = last === undefined ? null : chat.fence - last.fence;
    const isKnown = (takings === 0 || takings === 1) && last?.hash === hash;
    const causes = isKnown
      ? []
      : await recordPromptPrefix(database.sql, chat, { prefix, now: clock.now() });
    known.delete(chat.id);
    known.set(chat.id, { fence: chat.fence, hash });
    for (const id of known.keys()) {
      if (known.size <= KNOWN_MAX) break;
      known.delete(id);
    }
    return causes;
  };
}
