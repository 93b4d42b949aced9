/** What requests with a key were answered. */
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import { toStorableJson } from "../messages/storable-json.ts";
import type { WriteBeside } from "../state/chat-machine.ts";
import type { WireEntering } from "./chat-wire.ts";
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

/** The same, in the statement that puts a message into a history: the answer with what only the database knows of it. */
export function insertSentAnswer(
  { ownerId, operation, key }: RequestKey,
  {
    inputHash: hash,
    message,
    at,
  }: Omit<KeptAnswer, "answer"> & {
    readonly message: WireEntering;
    readonly at: Date;
  },
): WriteBeside {
  const [bytes, time] = [`\\x${hash.toString("hex")}`, at.toISOString()];
  const values = [ownerId, operation, key, bytes, toStorableJson(message), time];
  return { name: "answer", text: sentAnswerText, values };
}

const sentAnswerText = (first: number, entered: string): string => `
  insert into chat_request_keys (owner_id, operation, key, input_hash, answer, created_at)
  select $${first}::uuid, $${first + 1}::text, $${first + 2}::text, $${first + 3}::bytea,
    jsonb_build_object('queued', false, 'message', message, 'messages', jsonb_build_array(message)),
    $${first + 5}::timestamptz
  from ${entered} as entered, lateral (
    select $${first + 4}::jsonb
      || jsonb_build_object('id', entered.id, 'model_config_id', entered.model_config_id,
        'created_at', to_char(entered.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      as message
  ) as answered`;

export async function deleteAnswersBefore(db: Sql, before: Date): Promise<void> {
  await sql`delete from chat_request_keys where created_at < ${before}`.execute(db);
}

export function isKeyTaken(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return code === "23505" && constraint === "chat_request_keys_pkey";
}
