/** Organizations in Postgres. There is one so far, the default, and everybody is in it. */
import { assert } from "@atelier/base/assert";
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";

export async function getDefaultOrganizationId(db: Sql): Promise<string> {
  const { rows } = await sql<{ id: string }>`
    select id from organizations where is_default`.execute(db);
  const [row] = rows;
  assert(row !== undefined, "the first migration makes the default organization");
  return row.id;
}
