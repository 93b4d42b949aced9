/** Chats that were archived long ago, for good. What belongs to them goes with them. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";

/**
 * Some of those that nothing was done to since; how many, not counting their children. Archived, a chat is
 * driven by nobody; one that is taken out of the archive at this moment is left alone.
 */
export async function deleteArchivedChats(
  db: Sql,
  { before, max }: { readonly before: Date; readonly max: number },
): Promise<number> {
  const { rows } = await sql`
    delete from chats where id in (
      select c.id from chats c
      where c.archived and c.updated_at < ${before}
        and not exists (
          select from chats child where child.root_chat_id = c.id
            and not (child.archived and child.updated_at < ${before})
        )
      order by c.updated_at limit ${max} for update skip locked
    ) returning id`.execute(db);
  return rows.length;
}
