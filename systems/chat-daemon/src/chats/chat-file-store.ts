/** Files of chats: bytes, and what is known of them. */
import { createHash } from "node:crypto";
import type { Sql } from "@atelier/database/database";
import { sql } from "kysely";
import type { KnownFile } from "./chat-content.ts";
import type { FileFacts } from "./shown-chat.ts";

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

/** Those that a chat holds, the oldest first. */
export async function listChatFiles(db: Sql, chatId: string): Promise<readonly FileFacts[]> {
  const { rows } = await sql<FileFacts>`
    select f.id, f.owner_id as "ownerId", f.organization_id as "organizationId", f.name,
      f.media_type as "mediaType", octet_length(f.data) as "sizeBytes", f.created_at as "createdAt"
    from chat_file_links l join chat_files f on f.id = l.file_id
    where l.chat_id = ${chatId} order by l.created_at, f.id`.execute(db);
  return rows;
}

export type WholeFile = {
  readonly ownerId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** Null: no chat holds it. */
  readonly chatId: string | null;
};

export async function findWholeFile(db: Sql, fileId: string): Promise<WholeFile | undefined> {
  const { rows } = await sql<WholeFile>`
    select f.owner_id as "ownerId", f.name, f.media_type as "mediaType", f.data as bytes,
      l.chat_id as "chatId"
    from chat_files f left join chat_file_links l on l.file_id = f.id
    where f.id = ${fileId}`.execute(db);
  return rows[0];
}

/** Of this person, up to `max`. */
export async function countUnusedFiles(db: Sql, ownerId: string, max: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select from chat_files f
      where f.owner_id = ${ownerId}
        and not exists (select from chat_file_links l where l.file_id = f.id)
      limit ${max}
    ) unused`.execute(db);
  return rows[0]?.count ?? 0;
}

/**
 * Some of those that no chat holds and that are older than this; how many. One that a message takes up at
 * this moment is left alone: whoever links it holds its row (see listLinkableFiles()).
 */
export async function deleteUnusedFiles(
  db: Sql,
  { before, max }: { readonly before: Date; readonly max: number },
): Promise<number> {
  const { rows } = await sql`
    delete from chat_files where id in (
      select f.id from chat_files f
      where f.created_at < ${before}
        and not exists (select from chat_file_links l where l.file_id = f.id)
      limit ${max} for update skip locked
    ) returning id`.execute(db);
  return rows.length;
}
