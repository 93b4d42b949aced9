/** Which model answers a message that waited: the one it was meant for may be gone by then. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";

/** The wanted one where it can be used, else the organization's default. Undefined: neither. */
export async function findUsableModel(
  db: Sql,
  organizationId: string,
  wanted: string,
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    select id from chat_model_configs
    where organization_id = ${organizationId} and deleted_at is null and enabled
      and (id = ${wanted} or is_default)
    order by (id = ${wanted}) desc limit 1`.execute(db);
  return rows[0]?.id;
}
