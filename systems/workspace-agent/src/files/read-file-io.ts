/** Reads files: as bytes while they are asked for, and as numbered lines. Memory stays flat. */
import type { Clock } from "@atelier/base/clock";
import { ok, type Result } from "@atelier/base/result";
import type { FileInfo } from "@atelier/contract/rpc/workspace/files";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { FileHandle } from "node:fs/promises";
import { toFileInfo } from "./file-info-io.ts";
import { NumberedLines, type LinesRead, type LinesWanted } from "./numbered-lines.ts";
import { openForReading, tooSlow, withinTime } from "./open-file-io.ts";
import type { RealPath } from "./real-path-io.ts";

const CHUNK_BYTES = 256 * 1024;

export type ByteRange = {
  readonly offset: number;
  /** Null: to the end. */
  readonly length: number | null;
};

type ReadDeps = { readonly clock: Clock; readonly signal: AbortSignal };

/** The file stays open until its bytes were read, or the signal aborts. */
export async function readBytes(
  path: RealPath,
  range: ByteRange,
  { clock, signal }: ReadDeps,
): Promise<
  Result<{ readonly value: FileInfo; readonly bytes: AsyncIterable<Uint8Array> }, WorkspaceFailure>
> {
  const opened = await openForReading(path, clock);
  if (!opened.ok) return opened;
  const { handle, stats } = opened.value;
  const reading = new RangeReader(handle, range, { clock, signal });
  return ok({ value: toFileInfo(path.named, stats, null), bytes: reading });
}

export async function readLines(
  path: RealPath,
  wanted: LinesWanted,
  { clock, signal }: ReadDeps,
): Promise<Result<LinesRead & { readonly fileSize: number }, WorkspaceFailure>> {
  const opened = await openForReading(path, clock);
  if (!opened.ok) return opened;
  await using file = opened.value;
  const lines = new NumberedLines(wanted);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let bytes = 0;
  for (;;) {
    signal.throwIfAborted();
    const read = await withinTime(file.handle.read(buffer, 0, CHUNK_BYTES), clock);
    if (read === null) return tooSlow(path.named);
    if (read.bytesRead === 0) break;
    bytes += read.bytesRead;
    if (!lines.push(buffer.subarray(0, read.bytesRead))) break;
  }
  // Files of the kernel say that they are empty.
  const fileSize = Math.max(file.stats.size, bytes);
  return ok({ ...lines.end(fileSize), fileSize });
}

/** Reads as it is asked; closes when it is done, told to stop, or aborted, begun or not. */
class RangeReader implements AsyncIterableIterator<Uint8Array> {
  readonly #handle: FileHandle;
  readonly #deps: ReadDeps;
  readonly #onAbort = (): void => {
    this.#close().catch(() => {}); // Nothing was written: nothing is lost.
  };
  #at: number;
  #left: number;
  #isClosed = false;

  constructor(handle: FileHandle, { offset, length }: ByteRange, deps: ReadDeps) {
    this.#handle = handle;
    this.#deps = deps;
    this.#at = offset;
    this.#left = length ?? Infinity;
    if (deps.signal.aborted) this.#onAbort();
    else deps.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#deps.signal.throwIfAborted();
    if (this.#isClosed || this.#left === 0) return this.return();
    const size = Math.min(this.#left, CHUNK_BYTES);
    // Not from the pool: the reader may keep it.
    const buffer = Buffer.allocUnsafeSlow(size);
    let read;
    try {
      read = await withinTime(this.#handle.read(buffer, 0, size, this.#at), this.#deps.clock);
    } catch (error) {
      await this.#close();
      this.#deps.signal.throwIfAborted();
      throw new Error("read a file", { cause: error });
    }
    this.#deps.signal.throwIfAborted();
    if (read === null) {
      this.#onAbort();
      throw new Error("a read took too long");
    }
    if (read.bytesRead === 0) return this.return();
    this.#at += read.bytesRead;
    this.#left -= read.bytesRead;
    return { done: false, value: buffer.subarray(0, read.bytesRead) };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#close();
    return { done: true, value: undefined };
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deps.signal.removeEventListener("abort", this.#onAbort);
    await this.#handle.close();
  }
}
