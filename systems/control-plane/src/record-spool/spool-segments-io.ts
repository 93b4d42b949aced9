/**
 * The segments of a spool, read from the oldest to the newest and deleted once all of a segment is
 * released. A segment that is damaged, such as by a crash in the middle of a write, is read up to the
 * damage; the rest is skipped with a line in the log.
 */
import { open, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@atelier/base/logger";
import { decodeFrames } from "./spool-frames.ts";
import type { SpoolBatch, SpoolReader } from "./spool.ts";

/** Bytes beyond `bytes` are not on the disk for certain, so nobody reads them. */
export type Segment = { readonly number: number; bytes: number; isSealed: boolean };

const NUMBER_DIGITS = 8;

export class SpoolSegments implements SpoolReader, AsyncDisposable {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #segments: Segment[];
  #offset = 0;
  #reading: { readonly number: number; readonly handle: FileHandle } | null = null;

  constructor(
    directory: string,
    { segments, log }: { readonly segments: readonly Segment[]; readonly log: Logger },
  ) {
    this.#directory = directory;
    this.#log = log;
    this.#segments = [...segments];
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get isEmpty(): boolean {
    return this.#segments.every((each, index) => each.bytes === (index === 0 ? this.#offset : 0));
  }

  pathOf(segment: Segment): string {
    return join(this.#directory, segmentName(segment.number));
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  async read(bytesMax: number): Promise<SpoolBatch | null> {
    for (;;) {
      const [segment] = this.#segments;
      if (segment === undefined) return null;
      // What comes while it is read is for the next time.
      const end = segment.bytes;
      if (this.#offset < end) {
        const { payloads, offset } = await this.#readFrom(segment, { bytesMax, end });
        if (payloads.length > 0) return { payloads, end: { segment: segment.number, offset } };
        this.#offset = offset;
      }
      if (!segment.isSealed || this.#offset < segment.bytes) return null;
      await this.#deleteFirst(segment);
    }
  }

  async release({ end }: SpoolBatch): Promise<void> {
    const [segment] = this.#segments;
    if (segment === undefined || segment.number !== end.segment) return;
    this.#offset = end.offset;
    if (segment.isSealed && this.#offset >= segment.bytes) await this.#deleteFirst(segment);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeReading();
  }

  /** Whole frames, and where to go on: behind them, or at the end where the rest is not whole. */
  async #readFrom(
    segment: Segment,
    { bytesMax, end }: { readonly bytesMax: number; readonly end: number },
  ): Promise<{ readonly payloads: readonly string[]; readonly offset: number }> {
    const handle = await this.#handleOf(segment);
    const left = end - this.#offset;
    for (let size = Math.min(bytesMax, left); ;) {
      const bytes = await readAt(handle, this.#offset, size);
      const { payloads, consumed, next } = decodeFrames(bytes);
      const offset = this.#offset + consumed;
      const mayBeWhole = next.kind === "more" && bytes.length === size && size < left;
      if (mayBeWhole && payloads.length === 0) {
        // One frame is longer than what was read: first its header says so, then all of it is read.
        size = Math.min(next.bytes, left);
        continue;
      }
      if (mayBeWhole || (next.kind === "end" && consumed === size)) return { payloads, offset };
      const about = { file: this.pathOf(segment), at: offset, bytes: end - offset };
      this.#log.error(about, "a spool is not whole: it is cut here");
      return { payloads, offset: end };
    }
  }

  async #handleOf(segment: Segment): Promise<FileHandle> {
    if (this.#reading?.number === segment.number) return this.#reading.handle;
    await this.#closeReading();
    const handle = await open(this.pathOf(segment), "r");
    this.#reading = { number: segment.number, handle };
    return handle;
  }

  async #deleteFirst(segment: Segment): Promise<void> {
    await this.#closeReading();
    await unlink(this.pathOf(segment));
    this.#segments.shift();
    this.#offset = 0;
  }

  async #closeReading(): Promise<void> {
    const handle = this.#reading?.handle;
    this.#reading = null;
    await handle?.close();
  }
}

export function segmentName(number: number): string {
  return `${String(number).padStart(NUMBER_DIGITS, "0")}.records`;
}

/** Null: no segment's name. */
export function segmentNumber(name: string): number | null {
  const digits = /^(\d{8,})\.records$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Fewer bytes at the end of the file. */
async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
