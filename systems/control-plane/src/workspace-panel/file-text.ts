/** What a file's first bytes are: text, cut at a whole character, or something else. Pure. */
import { FILE_TEXT_BYTES_MAX, type FILE_IMAGE_TYPES } from "@atelier/contract/http/workspace-files";

export type FileText = {
  /** Null: not UTF-8 text. */
  readonly text: string | null;
  readonly isCut: boolean;
};

/** `bytes`: the beginning, with at least one byte more than the limit if there is more. */
export function fileText(bytes: Uint8Array): FileText {
  const isCut = bytes.byteLength > FILE_TEXT_BYTES_MAX;
  const shown = isCut ? bytes.subarray(0, FILE_TEXT_BYTES_MAX) : bytes;
  if (shown.includes(0)) return { text: null, isCut: false };
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    // With more to come, a character that is cut at the end is held back and left out.
    return { text: decoder.decode(shown, { stream: isCut }), isCut };
  } catch {
    return { text: null, isCut: false };
  }
}

const IMAGE_TYPE_BY_ENDING: Readonly<Record<string, (typeof FILE_IMAGE_TYPES)[number]>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
};

/**
 * By the name's ending. Browsers are told to believe it, so that a file that is something else stays
 * harmless: as a picture it is not drawn, and all other types are only saved.
 */
export function mediaTypeOf(name: string): {
  readonly mediaType: string;
  readonly isInline: boolean;
} {
  const ending = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase() ?? "";
  const image = Object.hasOwn(IMAGE_TYPE_BY_ENDING, ending)
    ? IMAGE_TYPE_BY_ENDING[ending]
    : undefined;
  return image === undefined
    ? { mediaType: "application/octet-stream", isInline: false }
    : { mediaType: image, isInline: true };
}
