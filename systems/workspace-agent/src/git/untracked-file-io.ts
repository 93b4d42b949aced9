/** Reads untracked files, to count their lines and to show them, up to limits of all together. */
import type { Clock } from "@atelier/base/clock";
import { constants, lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import { countLines, isBinary, type AddedFile } from "./added-file-diff.ts";
import type { LineCounts } from "./parse-status.ts";

const COUNTED_BYTES_MAX = 32 * 1024 * 1024;
const COUNTED_MS_MAX = 2_000;
const EXECUTABLE_BITS = 0o111;

const UNCOUNTED: LineCounts = { added: 0, removed: 0, isBinary: false };

export class LineCounter {
  readonly #root: string;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #bytesLeft = COUNTED_BYTES_MAX;
  /** The limits were reached: lines were left out. */
  isIncomplete = false;

  constructor(root: string, clock: Clock) {
    this.#root = root;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  async count(path: string): Promise<LineCounts> {
    const isLate = this.#clock.monotonicMs() - this.#startedMs > COUNTED_MS_MAX;
    if (this.#bytesLeft <= 0 || isLate) return this.#leftOut();
    const file = await readAdded(this.#root, path, this.#bytesLeft);
    if (file === null) return UNCOUNTED;
    this.#bytesLeft -= file.bytes.byteLength;
    if (file.isCut) return this.#leftOut();
    if (isBinary(file.bytes)) return { ...UNCOUNTED, isBinary: true };
    return { ...UNCOUNTED, added: countLines(file.bytes) };
  }

  #leftOut(): LineCounts {
    this.isIncomplete = true;
    return UNCOUNTED;
  }
}

/** Null: it went away, or is nothing that git would add, or may not be read. */
export async function readAdded(
  root: string,
  path: string,
  bytesMax: number,
): Promise<(AddedFile & { readonly isCut: boolean }) | null> {
  try {
    const whole = join(root, path);
    const found = await lstat(whole);
    if (found.isSymbolicLink()) {
      const bytes = Buffer.from(await readlink(whole));
      return { path, mode: "120000", bytes, isCut: false };
    }
    if (!found.isFile()) return null;
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
    await using file = await open(whole, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    const { size, mode } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, bytesMax));
    let filled = 0;
    while (filled < buffer.byteLength) {
      const { bytesRead } = await file.read(buffer, filled, buffer.byteLength - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return {
      path,
      mode: (mode & EXECUTABLE_BITS) === 0 ? "100644" : "100755",
      bytes: buffer.subarray(0, filled),
      isCut: size > bytesMax,
    };
  } catch {
    return null;
  }
}
