/**
 * How one operation is said on one stream: as pieces, each a length and bytes. The first piece of each
 * side is a message, which is JSON; what the operation's kind has on top follows it: nothing, more
 * messages, or pieces of raw bytes. An empty piece says that nothing comes any more: a stream that
 * ends without it broke, and nobody takes what came for whole.
 */

/** A length of 32 bits, big end first. */
const LENGTH_BYTES = 4;

/** Of one message: the longest are edits of whole files and diffs. */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

export class FramingError extends Error {
  override readonly name = "FramingError";
}

/** The empty piece. */
export const END_PIECE = Buffer.alloc(LENGTH_BYTES);

export function encodeMessage(value: unknown): Buffer {
  const json = JSON.stringify(value);
  const bytes = Buffer.byteLength(json);
  const message = Buffer.allocUnsafe(LENGTH_BYTES + bytes);
  message.writeUInt32BE(bytes, 0);
  message.write(json, LENGTH_BYTES, "utf8");
  return message;
}

/** What stands before a piece of raw bytes. */
export function pieceHead(bytes: number): Buffer {
  const head = Buffer.allocUnsafe(LENGTH_BYTES);
  head.writeUInt32BE(bytes, 0);
  return head;
}

/** Reads messages, and then raw bytes, from chunks that may be cut anywhere. */
export class PieceReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Read from the stream, but not by the caller yet. */
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Undefined: the empty piece came. Throws FramingError when the stream broke, or as the stream. */
  async readMessage(): Promise<unknown> {
    const bytes = await this.#readLength();
    if (bytes === 0) return undefined;
    if (bytes > MESSAGE_BYTES_MAX) throw new FramingError("a message is too long");
    await this.#hold(bytes);
    try {
      return JSON.parse(this.#take(bytes).toString("utf8")) as unknown;
    } catch (error) {
      throw new FramingError("a message is not JSON", { cause: error });
    }
  }

  /** The raw bytes after the messages, as they come. Throws when the stream broke before their end. */
  async *rest(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        let left = await this.#readLength();
        if (left === 0) return;
        while (left > 0) {
          await this.#hold(1);
          const bytes = this.#take(Math.min(left, this.#heldBytes));
          left -= bytes.byteLength;
          yield bytes;
        }
      }
    } finally {
      await this.#chunks.return?.();
    }
  }

  async #readLength(): Promise<number> {
    await this.#hold(LENGTH_BYTES);
    return this.#take(LENGTH_BYTES).readUInt32BE(0);
  }

  async #hold(bytes: number): Promise<void> {
    while (this.#heldBytes < bytes) {
      const next = await this.#chunks.next();
      if (next.done === true) throw new FramingError("the stream broke off");
      this.#held.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength));
      this.#heldBytes += next.value.byteLength;
    }
  }

  #take(bytes: number): Buffer {
    const [only] = this.#held;
    const all = this.#held.length === 1 && only !== undefined ? only : Buffer.concat(this.#held);
    const taken = all.subarray(0, bytes);
    const left = all.subarray(bytes);
    this.#held = left.byteLength === 0 ? [] : [left];
    this.#heldBytes = left.byteLength;
    return taken;
  }
}
