/** What an uploaded file is kept as: its type by what it holds, and a name that is only a name. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import { CHAT_FILE_MEDIA_TYPES } from "@atelier/contract/http/chat-files";
import type { RawBody } from "@atelier/contract/raw-body";
import { mediaTypeOf } from "../messages/media-type.ts";

export type UploadedFile = { readonly name: string; readonly mediaType: string };

const NAME_LENGTH_MAX = 255;
/** Clients that do not know say one of these. */
const UNKNOWN_TYPES = new Set(["application/octet-stream", "application/x-www-form-urlencoded"]);
const TEXT_TYPES = new Set(["application/json", "text/csv", "text/markdown", "text/plain"]);
const ALLOWED = new Set<string>(CHAT_FILE_MEDIA_TYPES);

export function uploadedFile(
  upload: RawBody,
): Result<UploadedFile, Failure<"request.invalid" | "chat_file.type_unsupported">> {
  const { bytes, mediaType, fileName } = upload;
  if (bytes.length === 0) return fail({ code: "request.invalid", detail: "The file is empty." });
  const declared = mediaType === null || UNKNOWN_TYPES.has(mediaType) ? null : mediaType;
  if (declared !== null && !ALLOWED.has(declared))
    return fail({ code: "chat_file.type_unsupported" });
  const name = nameOf(fileName ?? "");
  const found = mediaTypeOf(name, bytes);
  if (found === null) return fail({ code: "chat_file.type_unsupported" });
  const isSameKind =
    declared === null || declared === found || (TEXT_TYPES.has(declared) && TEXT_TYPES.has(found));
  if (!isSameKind) {
    return fail({ code: "request.invalid", detail: `The file is ${found}, not ${declared}.` });
  }
  const kept = declared ?? found;
  return ok({ name: name === "" ? `file.${EXTENSIONS[kept] ?? "txt"}` : name, mediaType: kept });
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  "application/json": "json",
  "application/pdf": "pdf",
  "image/gif": "gif",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "text/csv": "csv",
  "text/markdown": "md",
};

/** The last part of a path, without what cannot be seen. */
function nameOf(given: string): string {
  const last = given.toWellFormed().split(/[/\\]/).at(-1) ?? "";
  const name = last.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").trim();
  return name === "." || name === ".." ? "" : [...name].slice(0, NAME_LENGTH_MAX).join("");
}

/** Browsers show these without running anything in them. */
export function isShownInline(mediaType: string): boolean {
  return mediaType === "text/plain" || mediaType.startsWith("image/");
}
