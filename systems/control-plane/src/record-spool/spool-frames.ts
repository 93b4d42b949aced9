/**
 * How payloads lie in a segment of a spool: one frame after the other, without a header.
 *
 * A frame is the payload's length (4 bytes, little-endian), a CRC-32 of those four bytes and the
 * payload (4 bytes, little-endian), and the payload as UTF-8. Reading stops at the first frame that
 * is not whole: what stands before it is exactly what was written, and nothing after it is believed.
 */
import { crc32 } from "node:zlib";

export const FRAME_HEADER_BYTES = 8;
/** A longer one is refused when it is written, and damage when it is read. */
export const PAYLOAD_BYTES_MAX = 64 * 1_024 * 1_024;

/** Throws for a payload that is empty or too long. */
export function encodeFrames(payloads: readonly string[]): Buffer {
  const lengths = payloads.map((payload) => Buffer.byteLength(payload));
  for (const length of lengths) {
    if (length === 0 || length > PAYLOAD_BYTES_MAX) {
      throw new RangeError(`a spooled record of ${length} bytes`);
    }
  }
  const total = lengths.reduce((sum, length) => sum + FRAME_HEADER_BYTES + length, 0);
  const bytes = Buffer.allocUnsafe(total);
  let offset = 0;
  for (const [index, payload] of payloads.entries()) {
    const length = lengths[index] ?? 0;
    const start = offset + FRAME_HEADER_BYTES;
    bytes.writeUInt32LE(length, offset);
    bytes.write(payload, start);
    bytes.writeUInt32LE(checksum(bytes, offset, start + length), offset + 4);
    offset = start + length;
  }
  return bytes;
}

export type DecodedFrames = {
  readonly payloads: readonly string[];
  /** Up to here the frames are whole. */
  readonly consumed: number;
  /**
   * What stands there: the end of the bytes; a frame of which so many bytes in all are needed to see
   * the rest; or something that no writer has written.
   */
  readonly next: { readonly kind: "end" } | { readonly kind: "more"; readonly bytes: number } | { readonly kind: "damage" }; // prettier-ignore
};

export function decodeFrames(bytes: Buffer): DecodedFrames {
  const payloads: string[] = [];
  let offset = 0;
  const stop = (next: DecodedFrames["next"]) => ({ payloads, consumed: offset, next });
  for (;;) {
    const left = bytes.length - offset;
    if (left === 0) return stop({ kind: "end" });
    if (left < FRAME_HEADER_BYTES) return stop({ kind: "more", bytes: FRAME_HEADER_BYTES });
    const length = bytes.readUInt32LE(offset);
    // A file that grew before a crash, and was never filled, reads as zeros.
    if (length === 0 || length > PAYLOAD_BYTES_MAX) return stop({ kind: "damage" });
    const size = FRAME_HEADER_BYTES + length;
    if (left < size) return stop({ kind: "more", bytes: size });
    const end = offset + size;
    if (bytes.readUInt32LE(offset + 4) !== checksum(bytes, offset, end)) {
      return stop({ kind: "damage" });
    }
    payloads.push(bytes.toString("utf8", offset + FRAME_HEADER_BYTES, end));
    offset = end;
  }
}

function checksum(bytes: Buffer, start: number, end: number): number {
  const ofLength = crc32(bytes.subarray(start, start + 4));
  return crc32(bytes.subarray(start + FRAME_HEADER_BYTES, end), ofLength);
}
