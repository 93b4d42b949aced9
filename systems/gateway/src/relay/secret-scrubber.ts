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
  /** Made for the first piece: most answers have none to look into. */
  #patterns: readonly Buffer[] | null = null;
  #held: Buffer | null = null;

  constructor(secret: string) {
    this.#texts = SPELLED_ALIKE.test(secret) ? [secret] : [...new Set(spellingsOf(secret))];
  }

  /** For text that is whole, such as a header's value. */
  scrubText(text: string): string {
    let scrubbed = text;
    for (const each of this.#texts) {
      if (scrubbed.includes(each)) scrubbed = scrubbed.replaceAll(each, "*".repeat(each.length));
    }
    return scrubbed;
  }

  isIn(text: string): boolean {
    for (const each of this.#texts) if (text.includes(each)) return true;
    return false;
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
    let bytes = Buffer.isBuffer(piece)
      ? piece
      : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let isCopy = false;
    const patterns = this.#patternsOnce();
    // Without iterators: they are a tenth of what a frame of a stream leaves to the collector.
    for (let i = 0; i < patterns.length; i += 1) {
      const pattern = patterns[i] as Buffer;
      for (let at = bytes.indexOf(pattern); at !== -1;) {
        if (!isCopy) bytes = Buffer.from(bytes);
        isCopy = true;
        const end = at + pattern.length;
        bytes.fill(ASTERISK, at, end);
        at = bytes.indexOf(pattern, end);
      }
    }
    return bytes;
  }

  /** How many of the last bytes the secret could begin with. */
  #beginningAtEnd(bytes: Buffer): number {
    let longest = 0;
    const patterns = this.#patternsOnce();
    for (let i = 0; i < patterns.length; i += 1) {
      const pattern = patterns[i] as Buffer;
      // A few dozen bytes of each frame of a stream: a call out of JavaScript costs more than a look at each.
      const first = pattern[0];
      for (let at = Math.max(0, bytes.length - pattern.length + 1); at < bytes.length; at += 1) {
        if (bytes[at] !== first || !isBeginningAt(bytes, at, pattern)) continue;
        longest = Math.max(longest, bytes.length - at);
        break;
      }
    }
    return longest;
  }

  #patternsOnce(): readonly Buffer[] {
    this.#patterns ??= this.#texts.map((text) => Buffer.from(text));
    return this.#patterns;
  }
}

/** Whether all from `from` on is how `pattern` begins. */
function isBeginningAt(bytes: Buffer, from: number, pattern: Buffer): boolean {
  for (let i = 1; from + i < bytes.length; i += 1) {
    if (bytes[from + i] !== pattern[i]) return false;
  }
  return true;
}

/** Nobody escapes these, so there is one spelling. Most keys are of them. */
const SPELLED_ALIKE = /^[A-Za-z0-9._-]+$/;

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
