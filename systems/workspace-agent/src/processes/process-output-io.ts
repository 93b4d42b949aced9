/**
 * One output of a process: a file to which the process itself appends, so that nothing stands between
 * them and nothing is lost when the agent ends. Read as head and tail, followed live, and cut in the
 * middle while the process writes on (output-hole-io).
 */
import type { Clock } from "@atelier/base/clock";
import { statSync, watch } from "node:fs";
import { open, readFile, rename, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { HoleMaker } from "./output-hole-io.ts";
import {
  chooseWindow,
  keptBytesOf,
  nextCut,
  openEndBytes,
  openStartBytes,
  type OutputLimits,
} from "./output-window.ts";

/** A change that the system does not tell is found after this long. */
const LOOK_AGAIN_MS = 250;
/** The same where files cannot be watched: the system's watches are used up. */
const LOOK_OFTEN_MS = 50;
const CHUNK_BYTES = 64 * 1024;

export type OutputText = {
  readonly head: string;
  readonly omittedBytes: number;
  readonly tail: string;
  readonly totalBytes: number;
};

export type OutputDeps = { readonly limits: OutputLimits; readonly holes: HoleMaker };

export class ProcessOutput {
  readonly #path: string;
  readonly #deps: OutputDeps;
  /** On disk before the hole is made. */
  #cutEnd: number;
  /** Grows when bytes that are kept were away for a moment: what was read meanwhile is void. */
  #rewrites = 0;

  private constructor(path: string, cutEnd: number, deps: OutputDeps) {
    this.#path = path;
    this.#cutEnd = cutEnd;
    this.#deps = deps;
  }

  static async open(
    directory: string,
    name: "stdout" | "stderr",
    deps: OutputDeps,
  ): Promise<ProcessOutput> {
    const path = join(directory, name);
    // No such file: nothing was ever left out.
    const text = await readFile(`${path}.cut`, "latin1").catch(() => "0");
    return new ProcessOutput(path, Number(text), deps);
  }

  /** All bytes written so far. 0 where the file is gone. */
  size(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  keptBytes(): number {
    return keptBytesOf(this.size(), this.#cutEnd, this.#deps.limits.headBytesMax);
  }

  /** Null: the process was forgotten. */
  async read(maxBytes: number): Promise<OutputText | null> {
    const file = await openOrNull(this.#path);
    if (file === null) return null;
    try {
      for (;;) {
        const { size } = await file.stat();
        const [cutEnd, rewrites] = [this.#cutEnd, this.#rewrites];
        const window = chooseWindow(size, cutEnd, maxBytes, this.#deps.limits.headBytesMax);
        const head = await readRange(file, 0, window.headEnd);
        const tail = await readRange(file, window.tailStart, size);
        // A cut came in between, and the tail may be full of its zeroes.
        if (cutEnd === this.#cutEnd && rewrites === this.#rewrites) {
          return toText(head, tail, window, size);
        }
      }
    } finally {
      await file.close();
    }
  }

  /** Where a reader begins who asks for everything from here on. */
  startFor(offset: number): number {
    return Math.max(offset, this.#cutEnd);
  }

  /** From an offset that is kept, until all is read after `over`. Throws the signal's reason. */
  async *follow(
    from: number,
    over: AbortSignal,
    { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  ): AsyncGenerator<Uint8Array> {
    using changes = new Changes(this.#path, [over, signal], clock);
    const file = await open(this.#path, "r");
    try {
      let position = from;
      for (;;) {
        // First: what was written before the end is then read.
        const wasOver = over.aborted;
        const rewrites = this.#rewrites;
        const chunk = await readSome(file, position);
        signal.throwIfAborted();
        if (position < this.#cutEnd) {
          throw new Error("the output was left out before it was read: ask again from there");
        }
        if (rewrites !== this.#rewrites) continue;
        if (chunk.byteLength > 0) {
          position += chunk.byteLength;
          yield chunk;
        } else if (wasOver) {
          return;
        } else {
          await changes.next();
        }
      }
    } finally {
      await file.close();
    }
  }

  /** Leaves out the middle where there is too much. True: it did. */
  async cut(): Promise<boolean> {
    const { limits, holes } = this.#deps;
    const cutEnd = nextCut(this.size(), this.#cutEnd, limits);
    if (cutEnd === null) return false;
    // Readers see it first, then the next agent, then the file.
    this.#cutEnd = cutEnd;
    await writeFile(`${this.#path}.next`, String(cutEnd), { mode: 0o600 });
    await rename(`${this.#path}.next`, `${this.#path}.cut`);
    await holes.make(this.#path, limits.headBytesMax, cutEnd, () => (this.#rewrites += 1));
    return true;
  }
}

function toText(
  head: Buffer,
  tail: Buffer,
  window: { readonly headEnd: number; readonly tailStart: number },
  totalBytes: number,
): OutputText {
  if (window.headEnd === totalBytes) {
    return { head: head.toString("utf8"), omittedBytes: 0, tail: "", totalBytes };
  }
  const endBytes = openEndBytes(head);
  const startBytes = openStartBytes(tail);
  return {
    head: head.subarray(0, head.length - endBytes).toString("utf8"),
    omittedBytes: window.tailStart - window.headEnd + endBytes + startBytes,
    tail: tail.subarray(startBytes).toString("utf8"),
    totalBytes,
  };
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  return open(path, "r").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  });
}

async function readRange(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(to - from);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

async function readSome(file: FileHandle, position: number): Promise<Uint8Array> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
  // A line must not hold on to the room of a chunk while it waits to be sent.
  return bytesRead < CHUNK_BYTES / 4
    ? Uint8Array.prototype.slice.call(chunk, 0, bytesRead)
    : chunk.subarray(0, bytesRead);
}

/** Says when to look at a file again: told by the system or by a signal, or after a while. */
class Changes implements Disposable {
  readonly #clock: Clock;
  readonly #signals: readonly AbortSignal[];
  readonly #watcher: ReturnType<typeof watch> | null;
  #hasChanged = false;
  #waiting = new AbortController();

  constructor(path: string, signals: readonly AbortSignal[], clock: Clock) {
    this.#clock = clock;
    this.#signals = signals;
    this.#watcher = watchOrNull(path, this.#change);
    for (const signal of signals) signal.addEventListener("abort", this.#change);
  }

  /** Resolves at a change since the last call. */
  async next(): Promise<void> {
    if (!this.#hasChanged) {
      this.#waiting = new AbortController();
      const waitMs = this.#watcher === null ? LOOK_OFTEN_MS : LOOK_AGAIN_MS;
      await this.#clock.sleep(waitMs, this.#waiting.signal).catch(() => {}); // Woken.
    }
    this.#hasChanged = false;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#change);
  }

  readonly #change = (): void => {
    this.#hasChanged = true;
    this.#waiting.abort();
  };
}

function watchOrNull(path: string, onChange: () => void): ReturnType<typeof watch> | null {
  try {
    const watcher = watch(path, { persistent: false }, onChange);
    watcher.on("error", onChange);
    return watcher;
  } catch {
    return null;
  }
}
