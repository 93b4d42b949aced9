/** Files that tools keep for people to see. */
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
