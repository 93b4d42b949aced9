/** Files of chats: bytes, and what is known of them. */
import { createHash } from "node:crypto";
import type { Sql } from "@atelier/database/database";
import type { KnownFile } from "./chat-content.ts";

/** Those of this owner among the ids. */
export async function findFiles(
  db: Sql,
  ownerId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KnownFile>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("chat_files")
    .select(["id", "name", "media_type"])
    .where("owner_id", "=", ownerId)
    .where("id", "in", [...ids])
    .execute();
  return new Map(
    rows.map(({ id, name, media_type: mediaType }) => [id, { id, name, mediaType }] as const),
  );
}

/** One that is there already, with this id, stays as it is. False: somebody else's has the id. */
export async function insertFile(
  db: Sql,
  file: {
    readonly id: string;
    readonly ownerId: string;
    readonly organizationId: string;
    readonly name: string;
    readonly mediaType: string;
    readonly bytes: Uint8Array;
    readonly createdAt: Date;
  },
): Promise<boolean> {
  const data = Buffer.from(file.bytes);
  await db
    .insertInto("chat_files")
    .values({
      id: file.id,
      owner_id: file.ownerId,
      organization_id: file.organizationId,
      created_at: file.createdAt,
      name: file.name,
      media_type: file.mediaType,
      data,
      sha256: createHash("sha256").update(data).digest(),
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
  const kept = await db
    .selectFrom("chat_files")
    .select("owner_id")
    .where("id", "=", file.id)
    .executeTakeFirst();
  return kept?.owner_id === file.ownerId;
}

export async function findFileBytes(
  db: Sql,
  ids: readonly string[],
): Promise<
  ReadonlyMap<
    string,
    { readonly mediaType: string; readonly name: string; readonly bytes: Uint8Array }
  >
> {
  const rows = await db
    .selectFrom("chat_files")
    .select(["id", "name", "media_type", "data"])
    .where("id", "in", [...ids])
    .execute();
  return new Map(
    rows.map(({ id, name, media_type: mediaType, data }) => [id, { mediaType, name, bytes: data }]),
  );
}
