/** Sends changes of principals to all replicas, with the transaction that makes them. */
import type { Sql } from "@atelier/database/database";
import { publish } from "@atelier/database/pub-sub";
import {
  formatPrincipalChange,
  PRINCIPALS_CHANGED,
  type PrincipalChange,
} from "./principal-change.ts";

export async function publishPrincipalChange(db: Sql, change: PrincipalChange): Promise<void> {
  await publish(db, PRINCIPALS_CHANGED, formatPrincipalChange(change));
}
