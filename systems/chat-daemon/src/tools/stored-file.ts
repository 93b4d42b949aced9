/** Files that tools keep for people to see, and what kind they are. */
import type { Result } from "@atelier/base/result";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import type { ToolChat } from "./tool.ts";

export const STORED_FILE_BYTES_MAX = 10 * 1024 * 1024;

export type StoredFile = {
  readonly fileId: string;
  readonly name: string;
  readonly mediaType: string;
};

/** Keeps files of chats. The same call stores once, however often it is made. */
export interface ToolFileStore {
  store(
    chat: ToolChat,
    file: {
      readonly callId: string;
      readonly name: string;
      readonly mediaType: string;
      readonly bytes: Uint8Array;
    },
  ): Promise<Result<StoredFile, string>>;
}

export function toFilePart({ fileId, name, mediaType }: StoredFile): MessagePart {
  return { type: "file", file_id: fileId, name, media_type: mediaType };
}

const MAGIC: readonly (readonly [string, RegExp])[] = [
  ["image/png", /^\x89PNG\r\n/],
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/gif", /^GIF8[79]a/],
  ["image/webp", /^RIFF[\s\S]{4}WEBP/],
  ["application/pdf", /^%PDF-/],
];
const TEXT_TYPES: Readonly<Record<string, string>> = {
  json: "application/json",
  csv: "text/csv",
  md: "text/markdown",
  markdown: "text/markdown",
};

/** By what the bytes are, and the name among kinds of text. Null: none of the kinds that chats keep. */
export function mediaTypeOf(name: string, bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.subarray(0, 16)).toString("latin1");
  const known = MAGIC.find(([, pattern]) => pattern.test(head))?.[0];
  if (known !== undefined) return known;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (text.includes("\0")) return null;
  } catch {
    // Not text.
    return null;
  }
  return TEXT_TYPES[name.slice(name.lastIndexOf(".") + 1).toLowerCase()] ?? "text/plain";
}
