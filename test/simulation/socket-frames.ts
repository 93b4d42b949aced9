/** What one side of a WebSocket says, as it comes: the bytes of its messages, without their frames and masks. */

const HEAD_END = "\r\n\r\n";
/** Before each mask: two bytes, or how many more for longer frames. */
const LENGTH_BYTES: Readonly<Record<number, number>> = { 126: 2, 127: 8 };
const MASK_BYTES = 4;
const LONG: Readonly<Record<number, (head: Buffer) => number>> = {
  2: (head) => head.readUInt16BE(2),
  8: (head) => head.readUInt32BE(6),
};

export class SocketFrames {
  /** The request or answer that it began with. Null: not whole yet. */
  head: string | null = null;
  #rest: Buffer = Buffer.alloc(0);
  /** Of the frame that is read. */
  #left = 0;
  #mask: Buffer | null = null;
  #masked = 0;

  /** What these bytes say of messages, also of parts of them. */
  read(bytes: Buffer): Buffer {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (this.head === null && !this.#readHead()) return Buffer.alloc(0);
    const said: Buffer[] = [];
    while (this.#left > 0 || this.#readFrameHead()) {
      const taken = Buffer.from(this.#rest.subarray(0, this.#left));
      if (taken.byteLength === 0 && this.#left > 0) break;
      this.#rest = this.#rest.subarray(taken.byteLength);
      this.#left -= taken.byteLength;
      said.push(this.#unmasked(taken));
    }
    return Buffer.concat(said);
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf(HEAD_END);
    if (end < 0) return false;
    this.head = this.#rest.toString("latin1", 0, end);
    this.#rest = this.#rest.subarray(end + HEAD_END.length);
    return true;
  }

  #readFrameHead(): boolean {
    const second = this.#rest[1];
    if (second === undefined) return false;
    const short = second & 0x7f;
    const lengthBytes = LENGTH_BYTES[short] ?? 0;
    const isMasked = (second & 0x80) !== 0;
    const headBytes = 2 + lengthBytes + (isMasked ? MASK_BYTES : 0);
    if (this.#rest.byteLength < headBytes) return false;
    this.#left = LONG[lengthBytes]?.(this.#rest) ?? short;
    this.#mask = isMasked
      ? Buffer.from(this.#rest.subarray(headBytes - MASK_BYTES, headBytes))
      : null;
    this.#masked = 0;
    this.#rest = this.#rest.subarray(headBytes);
    return true;
  }

  #unmasked(bytes: Buffer): Buffer {
    const mask = this.#mask;
    if (mask === null) return bytes;
    for (let i = 0; i < bytes.byteLength; i += 1) {
      bytes[i] = (bytes[i] ?? 0) ^ (mask[(this.#masked + i) % MASK_BYTES] ?? 0);
    }
    this.#masked += bytes.byteLength;
    return bytes;
  }
}
