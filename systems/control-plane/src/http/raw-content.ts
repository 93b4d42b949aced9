/** Bytes in requests and answers: what headers say of them, and headers under which they are harmless. */
import type { RawAnswer, RawBody, StreamedAnswer } from "@atelier/contract/raw-body";
import type { IncomingHttpHeaders } from "node:http";

export function rawBodyOf(headers: IncomingHttpHeaders, bytes: Uint8Array): RawBody {
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "";
  return {
    bytes,
    mediaType: type === "" ? null : type,
    fileName: fileNameOf(headers["content-disposition"] ?? ""),
  };
}

/** The extended form wins over the plain one (RFC 6266). Null: neither is there and readable. */
function fileNameOf(disposition: string): string | null {
  const extended = /(?:^|;)\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(disposition)?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      // The plain one may be there as well.
    }
  }
  const plain = /(?:^|;)\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(disposition);
  if (plain === null) return null;
  const [, quoted, token = ""] = plain;
  if (quoted === undefined) return token;
  // Browsers write UTF-8 into a header, which Node reads byte by byte.
  const bytes = Buffer.from(quoted.replaceAll(/\\(.)/g, "$1"), "latin1");
  const text = bytes.toString("utf8");
  return text.includes("\uFFFD") ? bytes.toString("latin1") : text;
}

/**
 * Somebody's bytes from our own origin: nothing in them runs, they are what we say they are, and other
 * sites cannot embed them.
 */
export function rawAnswerHeaders(
  answer: RawAnswer | StreamedAnswer,
): Readonly<Record<string, string>> {
  const { mediaType, fileName, isInline } = answer;
  const plain = fileName.replaceAll(/[^\x20-\x7E]|["\\%]/g, "_");
  const extended = encodeURIComponent(fileName.toWellFormed()).replaceAll(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return {
    "content-type": mediaType.startsWith("text/") ? `${mediaType}; charset=utf-8` : mediaType,
    "content-disposition": `${isInline ? "inline" : "attachment"}; filename="${plain}"; filename*=UTF-8''${extended}`,
    "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
  };
}
