/** A condition on the ids that are asked for, where it is often only one. */
import { sql, type RawBuilder } from "kysely";

/**
 * Of a list Postgres does not know the length beforehand, and so thinks that each is worth a plan of its own, which
 * takes up to a millisecond. One id is compared: such a statement is planned once for all of them.
 */
export function isOneOf(
  column: RawBuilder<unknown>,
  ids: readonly string[],
  type: "uuid" | "text",
): RawBuilder<unknown> {
  return ids.length === 1
    ? sql`${column} = ${ids[0]}`
    : sql`${column} = any(${ids}::${sql.raw(type)}[])`;
}
