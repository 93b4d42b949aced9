/**
 * A column that holds sealed values, as its room describes it to the rotation of encryption keys.
 * A room with such a column exports one of these from its store; the rotation is given them all.
 */
import type { Sql } from "@atelier/database/database";

export type SealedColumn = {
  /** `table/column`: the first two parts of the place that its values are bound to. */
  readonly name: `${string}/${string}`;
  /** Values of rows whose id is above `afterId`, by id. Rows without a value are left out. */
  list(
    sql: Sql,
    page: { readonly afterId: string | null; readonly limit: number },
  ): Promise<readonly SealedValue[]>;
  /** Replaces the value unless it changed since it was read. False: it changed, or its row is gone. */
  replace(
    sql: Sql,
    change: { readonly id: string; readonly from: Uint8Array; readonly to: Uint8Array },
  ): Promise<boolean>;
};

export type SealedValue = { readonly id: string; readonly sealed: Uint8Array };

/** The place of one value, as the vault binds it. */
export function sealedAt(column: Pick<SealedColumn, "name">, id: string): string {
  return `${column.name}/${id}`;
}
