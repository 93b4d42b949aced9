/** Files that tools keep for people, and the bytes of files that a model is sent. */
import { createHash } from "node:crypto";
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Database } from "@atelier/database/database";
import { findFileBytes, insertFile } from "./chat-file-store.ts";

export type FileOwner = {
  readonly id: string;
  readonly ownerId: string;
  readonly organizationId: string;
};

export type KeptFile = {
  readonly fileId: string;
  readonly name: string;
  readonly mediaType: string;
};

/** The same call keeps one file, however often it is made: its id is made from the call. */
export async function keepToolFile(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  chat: FileOwner,
  file: {
    readonly callId: string;
    readonly name: string;
    readonly mediaType: string;
    readonly bytes: Uint8Array;
  },
): Promise<Result<KeptFile, string>> {
  const { callId, name, mediaType, bytes } = file;
  const fileId = fileIdOf(chat.id, callId);
  const isKept = await insertFile(database.sql, {
    ...{ id: fileId, name, mediaType, bytes },
    ownerId: chat.ownerId,
    organizationId: chat.organizationId,
    createdAt: clock.now(),
  });
  return isKept ? ok({ fileId, name, mediaType }) : fail("The file could not be kept.");
}

/** Those of the ids that are there. */
export async function loadChatFiles(
  { database }: { readonly database: Database },
  ids: readonly string[],
): Promise<
  ReadonlyMap<
    string,
    { readonly mediaType: string; readonly name: string; readonly bytes: Uint8Array }
  >
> {
  return ids.length === 0 ? new Map() : findFileBytes(database.sql, ids);
}

/** Version 8: made by a rule of one's own (RFC 9562). */
function fileIdOf(chatId: string, callId: string): string {
  const hash = createHash("sha256").update(`file\n${chatId}\n${callId}`).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.subarray(0, 16).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
