/** Chats with which nobody has done anything for long. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";

/** Roots whose whole family is at rest since, the longest first. Pinned ones are never idle. */
export async function listIdleChats(
  db: Sql,
  { before, max }: { readonly before: Date; readonly max: number },
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select c.id from chats c
    where c.parent_chat_id is null and not c.archived and c.pin_order = 0
      and c.status in ('waiting', 'error') and c.updated_at < ${before}
      and not exists (
        select from chats child where child.root_chat_id = c.id and not child.archived
          and (child.status not in ('waiting', 'error') or child.updated_at >= ${before})
      )
    order by c.updated_at limit ${max}`.execute(db);
  return rows.map(({ id }) => id);
}
