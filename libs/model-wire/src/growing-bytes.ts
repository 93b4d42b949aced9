/** Bytes put together from pieces, at a cost that follows their number and not that of the pieces. */
export class GrowingBytes {
  #bytes = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (this.#bytes.length < length) {
      const larger = new Uint8Array(Math.max(length, this.#bytes.length * 2, CAPACITY_MIN));
      larger.set(this.view());
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** The bytes so far. Valid until the next append(). */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Starts again. Keeps a small buffer for the next bytes and lets a large one go. */
  clear(): void {
    this.#length = 0;
    if (CAPACITY_KEPT < this.#bytes.length) this.#bytes = new Uint8Array(0);
  }
}

const CAPACITY_MIN = 256;
const CAPACITY_KEPT = 65_536;
