/** Bytes that come in pieces, as texts of whole characters that say where they stand. Pure. */

export type TextPiece = {
  readonly text: string;
  /** In bytes of the whole. A reader that is cut off asks again from the last `to`. */
  readonly from: number;
  readonly to: number;
};

/** Bytes that are no UTF-8 become replacement characters; a character that is split waits for its rest. */
export async function* textPieces(
  chunks: AsyncIterable<Uint8Array>,
  start: number,
): AsyncGenerator<TextPiece> {
  let from = start;
  let held = new Uint8Array();
  const take = (bytes: Uint8Array): TextPiece => {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const piece = { text, from, to: from + bytes.byteLength };
    from = piece.to;
    return piece;
  };
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([held, chunk]);
    const whole = bytes.byteLength - splitCharacterBytes(bytes);
    held = bytes.subarray(whole);
    if (whole > 0) yield take(bytes.subarray(0, whole));
  }
  if (held.byteLength > 0) yield take(held);
}

const CHARACTER_BYTES_MAX = 4;

/** How many bytes at the end begin a character without ending it. */
function splitCharacterBytes(bytes: Uint8Array): number {
  for (let back = 1; back < CHARACTER_BYTES_MAX && back <= bytes.byteLength; back += 1) {
    const byte = bytes[bytes.byteLength - back] ?? 0;
    const isContinuation = (byte & 0xc0) === 0x80;
    if (isContinuation) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
