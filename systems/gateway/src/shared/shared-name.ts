/** Names as fixed numbers of bits, so that threads find what belongs to them in shared memory. */
import { hash } from "node:crypto";

/** 128 bits: two names never meet by chance. */
export type NameBits = readonly [number, number, number, number];

export function bitsOf(name: string): NameBits {
  const digest = hash("sha256", name, "buffer");
  return [
    digest.readInt32LE(0),
    digest.readInt32LE(4),
    digest.readInt32LE(8),
    digest.readInt32LE(12),
  ];
}

const KNOWN_MAX = 10_000;

/** For names that come again and again: a digest costs more than what is done with it. */
export class KnownNames {
  readonly #bits = new Map<string, NameBits>();

  bitsOf(name: string): NameBits {
    const known = this.#bits.get(name);
    if (known !== undefined) return known;
    const bits = bitsOf(name);
    if (this.#bits.size >= KNOWN_MAX) this.#bits.clear();
    this.#bits.set(name, bits);
    return bits;
  }
}

/** The place, of so many, where a name is looked for. */
export function placeOf(bits: NameBits, places: number): number {
  return (bits[0] >>> 0) % places;
}

export function hasBits(table: Int32Array, at: number, bits: NameBits): boolean {
  return (
    table[at] === bits[0] &&
    table[at + 1] === bits[1] &&
    table[at + 2] === bits[2] &&
    table[at + 3] === bits[3]
  );
}
