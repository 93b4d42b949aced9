/** What requests with a key were answered. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import type { RequestKey } from "./request-key.ts";

export type KeptAnswer = { readonly inputHash: Buffer; readonly answer: unknown };

export async function findAnswer(
  db: Sql,
  { ownerId, operation, key }: RequestKey,
): Promise<KeptAnswer | undefined> {
  const row = await db
    .selectFrom("chat_request_keys")
    .select(["input_hash", "answer"])
    .where("owner_id", "=", ownerId)
    .where("operation", "=", operation)
    .where("key", "=", key)
    .executeTakeFirst();
  return row && { inputHash: row.input_hash, answer: row.answer };
}

/** In the transaction of what was answered. A second one with the key fails: see isKeyTaken(). */
export async function insertAnswer(
  db: Sql,
  { ownerId, operation, key }: RequestKey,
  kept: KeptAnswer & { readonly at: Date },
): Promise<void> {
  await db
    .insertInto("chat_request_keys")
    .values({
      owner_id: ownerId,
      operation,
      key,
      input_hash: kept.inputHash,
      answer: JSON.stringify(kept.answer),
      created_at: kept.at,
    })
    .execute();
}

export async function deleteAnswersBefore(db: Sql, before: Date): Promise<void> {
  await sql`delete from chat_request_keys where created_at < ${before}`.execute(db);
}

export function isKeyTaken(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return code === "23505" && constraint === "chat_request_keys_pkey";
}
