/** Secrets of chats in Postgres, sealed. */
import type { Sql } from "@atelier/database/database";
import { sql as text } from "kysely";
import type { SealedColumn } from "../vault/sealed-column.ts";

export async function putSealedSecret(sql: Sql, id: string, sealed: Buffer): Promise<void> {
  await sql
    .insertInto("chat_secrets")
    .values({ id, sealed_value: sealed })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ sealed_value: sealed }))
    .execute();
}

export async function deleteSealedSecret(sql: Sql, id: string): Promise<void> {
  await sql.deleteFrom("chat_secrets").where("id", "=", id).execute();
}

export async function findSealedSecret(sql: Sql, id: string): Promise<Buffer | undefined> {
  const row = await sql
    .selectFrom("chat_secrets")
    .select("sealed_value")
    .where("id", "=", id)
    .executeTakeFirst();
  return row?.sealed_value;
}

export const SEALED_CHAT_SECRETS: SealedColumn = {
  name: "chat_secrets/sealed_value",
  async list(sql, { afterId, limit }) {
    const { rows } = await text<{ id: string; sealed: Buffer }>`
      select id, sealed_value as sealed from chat_secrets
      where ${afterId}::uuid is null or id > ${afterId}::uuid
      order by id limit ${limit}`.execute(sql);
    return rows;
  },
  async replace(sql, { id, from, to }) {
    const { rows } = await text`
      update chat_secrets set sealed_value = ${to}
      where id = ${id} and sealed_value = ${from} returning id`.execute(sql);
    return rows.length === 1;
  },
};
