/**
 * Bytes that came in pieces and stay so: joining a large body costs a copy and its memory once more.
 * What is looked at is a part of it, and most parts lie in one piece.
 */
export class BytePieces {
  readonly pieces: readonly Uint8Array[];
  readonly byteLength: number;
  #whole: Uint8Array | null = null;

  constructor(pieces: readonly Uint8Array[]) {
    this.pieces = pieces;
    let bytes = 0;
    for (const piece of pieces) bytes += piece.byteLength;
    this.byteLength = bytes;
  }

  /** In one piece: a view of it where they lie in one already, else a copy. */
  slice(start: number, end: number): Uint8Array {
    let pieceStart = 0;
    for (const [i, piece] of this.pieces.entries()) {
      const pieceEnd = pieceStart + piece.byteLength;
      if (start < pieceEnd) {
        return end <= pieceEnd
          ? piece.subarray(start - pieceStart, end - pieceStart)
          : join(this.pieces.slice(i), start - pieceStart, end - start);
      }
      pieceStart = pieceEnd;
    }
    return new Uint8Array(0);
  }

  /** All of them in one piece. Made once: only for those who cannot do with pieces. */
  whole(): Uint8Array {
    const [only] = this.pieces;
    if (this.pieces.length === 1 && only !== undefined) return only;
    this.#whole ??= this.slice(0, this.byteLength);
    return this.#whole;
  }
}

/** `bytes` of the pieces, from `from` in the first. */
function join(pieces: readonly Uint8Array[], from: number, bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    const start = i === 0 ? from : 0;
    const part = piece.subarray(start, Math.min(piece.byteLength, start + bytes - at));
    joined.set(part, at);
    at += part.byteLength;
    if (at === bytes) break;
  }
  return joined;
}
