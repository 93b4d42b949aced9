/** Files of chats: bytes, and what is known of them. */
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
