/** Which files belong to which chat: each to at most one. A file that no chat holds any more is deleted. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";

/**
 * Of these, those that the chat has or may take: uploaded by its owner and held by no other chat. Until the
 * transaction ends none of them is deleted for being unused.
 */
export async function listLinkableFiles(
  db: Sql,
  chat: { readonly id: string; readonly ownerId: string; readonly organizationId: string },
  fileIds: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select f.id from chat_files f left join chat_file_links l on l.file_id = f.id
    where f.id = any(${[...fileIds]}::uuid[]) and f.owner_id = ${chat.ownerId}
      and f.organization_id = ${chat.organizationId}
      and (l.chat_id is null or l.chat_id = ${chat.id})
    for key share of f`.execute(db);
  return rows.map(({ id }) => id);
}

/** Returns how many belong to the chat then: fewer than asked for where another chat was quicker. */
export async function insertFileLinks(
  db: Sql,
  chatId: string,
  fileIds: readonly string[],
  now: Date,
): Promise<number> {
  await sql`
    insert into chat_file_links (file_id, chat_id, created_at)
    select file_id, ${chatId}, ${now} from unnest(${[...fileIds]}::uuid[]) as wanted (file_id)
    on conflict (file_id) do nothing`.execute(db);
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from chat_file_links
    where chat_id = ${chatId} and file_id = any(${[...fileIds]}::uuid[])`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Deletes the chat's oldest until `max` are left, and none of those to keep. */
export async function evictFiles(
  db: Sql,
  chatId: string,
  { keep, max }: { readonly keep: readonly string[]; readonly max: number },
): Promise<void> {
  await sql`
    delete from chat_file_links where file_id in (
      select file_id from chat_file_links
      where chat_id = ${chatId} and file_id <> all(${[...keep]}::uuid[])
      order by created_at, file_id
      limit greatest(0, (select count(*) from chat_file_links where chat_id = ${chatId}) - ${max})
    )`.execute(db);
}
