/**
 * Takes one secret out of text and of a stream of bytes, by asterisks of the same number: lengths
 * that were announced stay true, and JSON stays JSON. What does not hold the secret is passed on as
 * it is, in the same buffers.
 *
 * The secret is also found as JSON and URLs may spell it, and across the borders of pieces: an end of
 * a piece with which it could begin is held back until the next piece tells.
 */
const ASTERISK = 0x2a;
/** At a stream's end, a longer beginning of the secret was cut off rather than being chance. */
const BEGINNING_LENGTH_MAX = 8;

export class SecretScrubber {
  readonly #texts: readonly string[];
  readonly #patterns: readonly Buffer[];
  readonly #longest: number;
  #held: Buffer | null = null;

  constructor(secret: string) {
    this.#texts = [...new Set(spellingsOf(secret))].filter((text) => text !== "");
    this.#patterns = this.#texts.map((text) => Buffer.from(text));
    this.#longest = Math.max(0, ...this.#patterns.map((pattern) => pattern.length));
  }

  /** For text that is whole, such as a header's value. */
  scrubText(text: string): string {
    let scrubbed = text;
    for (const each of this.#texts) {
      if (scrubbed.includes(each)) scrubbed = scrubbed.replaceAll(each, "*".repeat(each.length));
    }
    return scrubbed;
  }

  /** What can be passed on now. Null: nothing yet. */
  push(piece: Uint8Array): Uint8Array | null {
    const bytes = this.#held === null ? piece : Buffer.concat([this.#held, piece]);
    const scrubbed = this.#scrub(bytes);
    const heldBytes = this.#beginningAtEnd(scrubbed);
    this.#held = null;
    if (heldBytes === 0) return scrubbed;
    this.#held = scrubbed.subarray(-heldBytes);
    return heldBytes === scrubbed.length ? null : scrubbed.subarray(0, -heldBytes);
  }

  /** Once, after the last piece: what was held back. */
  flush(): Uint8Array | null {
    const held = this.#held;
    this.#held = null;
    return held !== null && held.length > BEGINNING_LENGTH_MAX
      ? Buffer.alloc(held.length, ASTERISK)
      : held;
  }

  /** A copy where the secret is in it. */
  #scrub(piece: Uint8Array): Buffer {
    // The same memory: Buffer knows how to search it.
    let bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let isCopy = false;
    for (const pattern of this.#patterns) {
      for (let at = bytes.indexOf(pattern); at !== -1; at = bytes.indexOf(pattern, at)) {
        if (!isCopy) bytes = Buffer.from(bytes);
        isCopy = true;
        bytes.fill(ASTERISK, at, at + pattern.length);
      }
    }
    return bytes;
  }

  /** How many of the last bytes the secret could begin with. */
  #beginningAtEnd(bytes: Buffer): number {
    let at = Math.max(0, bytes.length - this.#longest + 1);
    for (; at < bytes.length; at += 1) {
      const length = bytes.length - at;
      const isBeginning = this.#patterns.some(
        (pattern) =>
          length < pattern.length && pattern.compare(bytes, at, bytes.length, 0, length) === 0,
      );
      if (isBeginning) return length;
    }
    return 0;
  }
}

/** As it is, with slashes escaped, with all but letters and digits as JSON may escape them, in URLs. */
function spellingsOf(secret: string): string[] {
  const escaped = (toHex: (hex: string) => string): string =>
    secret.replaceAll(
      /[^A-Za-z0-9._-]/g,
      (char) => `\\u${toHex(char.charCodeAt(0).toString(16).padStart(4, "0"))}`,
    );
  return [
    secret,
    secret.replaceAll("/", "\\/"),
    escaped((hex) => hex),
    escaped((hex) => hex.toUpperCase()),
    encodeURIComponent(secret),
  ];
}
