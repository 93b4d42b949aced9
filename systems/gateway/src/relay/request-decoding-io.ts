/**
 * The readable form of a compressed request body. The compressed bytes are what goes upstream; this
 * copy is only looked at.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";

const DECODERS: Readonly<
  Record<string, (body: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>>
> = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

export type DecodingMistake = "unknown_encoding" | "malformed" | "too_large";

/** `encoding` is the Content-Encoding header; several are undone from the last to the first. */
export async function decodeBody(
  body: Uint8Array,
  encoding: string | undefined,
  bytesMax: number,
): Promise<Result<Uint8Array, DecodingMistake>> {
  const encodings = (encoding ?? "")
    .split(",")
    .map((each) => each.trim().toLowerCase())
    .filter((each) => each !== "" && each !== "identity");
  let decoded = body;
  for (const each of encodings.toReversed()) {
    const decoder = Object.hasOwn(DECODERS, each) ? DECODERS[each] : undefined;
    if (decoder === undefined) return fail("unknown_encoding");
    try {
      decoded = await decoder(decoded, { maxOutputLength: bytesMax });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      return fail(code === "ERR_BUFFER_TOO_LARGE" ? "too_large" : "malformed");
    }
  }
  return ok(decoded);
}
