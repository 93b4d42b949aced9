/** The prefixes of a chat's prompts in Postgres: a row whenever one is another than the one before. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import { prefixChanges, prefixHash, type PromptPrefix } from "../prompt/prompt-prefix.ts";

/** What makes the prefix another than the chat's last. Empty: it is the same, or the first. */
export async function recordPromptPrefix(
  db: Sql,
  chat: { readonly id: string; readonly historyVersion: number },
  { prefix, now }: { readonly prefix: PromptPrefix; readonly now: Date },
): Promise<readonly string[]> {
  const hash = prefixHash(prefix);
  const last = await findLastPrefix(db, chat.id);
  if (last?.hash === hash) return [];
  const causes = last === undefined ? [] : prefixChanges(last.prefix, prefix);
  // A repeated attempt at the same step may find other tools: then the later call counts.
  await sql`
    insert into chat_prompt_prefixes (chat_id, history_version, hash, prefix, causes, created_at)
    values (${chat.id}, ${chat.historyVersion}, ${hash}, ${JSON.stringify(prefix)}::jsonb,
      ${causes}::text[], ${now})
    on conflict (chat_id, history_version) do update
    set hash = excluded.hash, prefix = excluded.prefix,
      causes = chat_prompt_prefixes.causes || excluded.causes, created_at = excluded.created_at`.execute(
    db,
  );
  return causes;
}

async function findLastPrefix(
  db: Sql,
  chatId: string,
): Promise<{ readonly hash: string; readonly prefix: PromptPrefix } | undefined> {
  const { rows } = await sql<{ readonly hash: string; readonly prefix: PromptPrefix }>`
    select hash, prefix from chat_prompt_prefixes
    where chat_id = ${chatId} order by history_version desc limit 1`.execute(db);
  return rows[0];
}
