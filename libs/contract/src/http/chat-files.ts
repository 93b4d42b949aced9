/** Files of chats over HTTP: spec agents 3.4 and 4.3. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { RawAnswer, RawBody } from "../raw-body.ts";
import { NoParams, NoQuery } from "./common.ts";

/** Of the files that people send, and tools keep. */
export const CHAT_FILE_MEDIA_TYPES = [
  "application/json",
  "application/pdf",
  "image/gif",
  "image/jpeg",
  "image/png",
  "image/webp",
  "text/csv",
  "text/markdown",
  "text/plain",
] as const;
export const CHAT_FILE_BYTES_MAX = 10 * 1_024 * 1_024;

export const uploadChatFile = endpoint({
  tag: "chats",
  summary: "Upload a file, to name it in a message; unused, it is deleted after a day",
  method: "POST",
  path: "/api/v2/chats/files",
  aliases: ["/api/experimental/chats/files"],
  access: "signed_in",
  params: NoParams,
  query: z.strictObject({ organization: z.string().max(64).optional() }),
  body: RawBody,
  rawBody: { bytesMax: CHAT_FILE_BYTES_MAX, mediaTypes: CHAT_FILE_MEDIA_TYPES },
  success: { status: 201, body: z.object({ id: z.uuid() }) },
  failures: ["chat_file.type_unsupported", "chat_file.too_many_unused"],
  audit: { action: "create", resource: "chat_file" },
});

export const getChatFile = endpoint({
  tag: "chats",
  summary: "Download a file of a chat",
  method: "GET",
  path: "/api/v2/chats/files/:file",
  aliases: ["/api/experimental/chats/files/:file"],
  access: "signed_in",
  params: z.strictObject({ file: z.uuid() }),
  query: NoQuery,
  body: null,
  success: { status: 200, body: RawAnswer },
  rawAnswer: { mediaTypes: CHAT_FILE_MEDIA_TYPES },
  failures: [],
  audit: null,
});
