/**
 * Keeps credentials out of bytes that pass by: providers repeat a refused key in their answers. Each is
 * replaced by its masked form, also where it is cut in two by the border of two chunks.
 */
import { maskCredential } from "@atelier/base/mask";

type Pattern = { readonly secret: Buffer; readonly mask: Buffer };

export class SecretFilter {
  readonly #patterns: readonly Pattern[];
  /** Bytes at the end of what came that may be the beginning of a secret. */
  readonly #heldMax: number;
  #held: Buffer = Buffer.alloc(0);

  constructor(secrets: readonly string[]) {
    this.#patterns = secrets.flatMap(toPatterns);
    this.#heldMax = Math.max(0, ...this.#patterns.map(({ secret }) => secret.length - 1));
  }

  /** What can be shown so far, in memory of its own. */
  push(chunk: Uint8Array): Uint8Array {
    const { shown, rest } = this.#replace(Buffer.concat([this.#held, chunk]));
    const held = Math.min(rest.length, this.#heldMax);
    this.#held = rest.subarray(rest.length - held);
    return Buffer.concat([...shown, rest.subarray(0, rest.length - held)]);
  }

  /** The rest. */
  end(): Uint8Array {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held;
  }

  #replace(bytes: Buffer): { readonly shown: Buffer[]; readonly rest: Buffer } {
    const shown: Buffer[] = [];
    let from = 0;
    for (let found = this.#find(bytes, from); found !== null; found = this.#find(bytes, from)) {
      shown.push(bytes.subarray(from, found.at), found.mask);
      from = found.at + found.secret.length;
    }
    return { shown, rest: bytes.subarray(from) };
  }

  #find(bytes: Buffer, from: number): (Pattern & { readonly at: number }) | null {
    let first: (Pattern & { readonly at: number }) | null = null;
    for (const pattern of this.#patterns) {
      const at = bytes.indexOf(pattern.secret, from);
      if (at === -1) continue;
      const isLonger = first !== null && pattern.secret.length > first.secret.length;
      if (first === null || at < first.at || (at === first.at && isLonger)) {
        first = { ...pattern, at };
      }
    }
    return first;
  }
}

/** The whole text at once. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const filter = new SecretFilter(secrets);
  const shown = filter.push(Buffer.from(text, "latin1"));
  return Buffer.concat([shown, filter.end()]).toString("latin1");
}

/** As it is, and as JSON may write it. */
function toPatterns(secret: string): Pattern[] {
  const mask = Buffer.from(maskCredential(secret));
  const spellings = new Set([secret, secret.replaceAll("/", "\\/")]);
  return [...spellings].map((each) => ({ secret: Buffer.from(each), mask }));
}
