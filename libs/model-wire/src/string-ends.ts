/**
 * Finds where strings of JSON end, 32 bytes at a time: a loop of JavaScript looks at one, and a search of text
 * needs the bytes as text first, which the collector then has to clear away (docs/discoveries/hot-path.md).
 *
 * The search is a small WebAssembly program, written out below. Its memory holds what was shown last, so whoever
 * shows something asks all that they want to know before anybody else shows anything.
 */
import { PROGRAM } from "./string-ends-program.ts";

/** The most that can be shown: the size of the program's memory. */
export const SHOWN_BYTES_MAX = 64 * 1_024;

export interface StringEnds {
  show(bytes: Uint8Array): void;
  /**
   * Where the first quote at or after `from` is that no backslash escapes; a backslash before `from` has no say. The
   * length of what is shown: there is none. One more: neither, and a backslash at the end escapes what follows.
   */
  next(from: number): number;
}

type Exports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly next: (from: number, to: number) => number;
};

type Host = {
  readonly WebAssembly?: {
    readonly Module: new (program: Uint8Array<ArrayBuffer>) => object;
    readonly Instance: new (module: object) => { readonly exports: object };
  };
};

/** Null: this host runs no such programs, or its processor lacks the instructions. */
export function createStringEnds(host: Host = globalThis as Host): StringEnds | null {
  const { WebAssembly } = host;
  if (WebAssembly === undefined) return null;
  let program: object;
  try {
    program = new WebAssembly.Module(PROGRAM);
  } catch {
    return null;
  }
  const { exports } = new WebAssembly.Instance(program);
  return new ShownBytes(exports as Exports); // Our own program's.
}

class ShownBytes implements StringEnds {
  readonly #memory: Uint8Array;
  readonly #next: Exports["next"];
  #length = 0;

  constructor({ memory, next }: Exports) {
    this.#memory = new Uint8Array(memory.buffer);
    this.#next = next;
  }

  show(bytes: Uint8Array): void {
    this.#memory.set(bytes);
    this.#length = bytes.length;
  }

  next(from: number): number {
    return this.#next(from, this.#length);
  }
}

/** Of this thread. */
export const STRING_ENDS: StringEnds | null = createStringEnds();
