/** Facts about the deployment as a whole, which all replicas share. */
import { assert } from "@atelier/base/assert";
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";

/** Drawn when the database was made. */
export async function getDeploymentId(db: Sql): Promise<string> {
  const { rows } = await sql<{ value: string }>`
    select value from site_settings where key = 'deployment_id'`.execute(db);
  const [row] = rows;
  assert(row !== undefined, "the migration draws the deployment's id");
  return row.value;
}
