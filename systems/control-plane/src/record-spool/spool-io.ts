/**
 * A spool: texts that are on the local disk when `append` resolves, kept until they are stored
 * elsewhere. Its directory belongs to one process at a time. The lock is the kernel's and ends with
 * the process, so no number of a process is ever trusted: whoever gets the lock of a directory knows
 * that its owner is dead, and takes over what it left.
 *
 * Prompts lie in it in clear: the directories are 0700, the files 0600.
 */
import { mkdir, open, readdir, rm, stat, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@atelier/base/logger";
import { tryLockFile } from "@atelier/database/file-lock";
import { encodeFrames } from "./spool-frames.ts";
import { segmentNumber, SpoolSegments, type Segment } from "./spool-segments-io.ts";
import type { Spool, SpoolBatch, SpoolReader } from "./spool.ts";

const LOCK_FILE = "lock";
const SEGMENT_BYTES_MAX = 16 * 1_024 * 1_024;
/** What is released is repeated after a crash until its segment goes: so it goes once it is this big. */
const RELEASED_BYTES_MAX = 1_024 * 1_024;
const OWN_ATTEMPTS_MAX = 5;

export type SpoolOptions = {
  /** Holds the spools of all servers with this data directory. Made when it is absent. */
  readonly root: string;
  readonly log: Logger;
  readonly newName: () => string;
  readonly segmentBytesMax?: number;
};

/** A spool of this process's own, empty. Disposing it leaves what is not released to a successor. */
export async function openSpool(options: SpoolOptions): Promise<Spool & AsyncDisposable> {
  await mkdir(options.root, { recursive: true, mode: 0o700 });
  for (let attempt = 1; attempt <= OWN_ATTEMPTS_MAX; attempt += 1) {
    const directory = join(options.root, options.newName());
    await mkdir(directory, { mode: 0o700 });
    const lock = tryLockFile(join(directory, LOCK_FILE));
    // Null: another process saw it empty, took it for a dead server's, and is about to delete it.
    if (lock === null) continue;
    try {
      return await FileSpool.create(directory, { ...options, lock });
    } catch (error) {
      lock[Symbol.dispose]();
      if ((error as { readonly code?: unknown }).code !== "ENOENT") throw error;
    }
  }
  throw new Error(`no spool could be made below ${options.root}`);
}

export type LeftSpool = SpoolReader & AsyncDisposable & { readonly directory: string };

/** What dead servers left below the root. Disposing one that is read to its end deletes it. */
export async function takeOverSpools(root: string, log: Logger): Promise<readonly LeftSpool[]> {
  const taken: LeftSpool[] = [];
  for (const name of await namesIn(root)) {
    const left = await takeOver(join(root, name), log);
    if (left !== null) taken.push(left);
  }
  return taken;
}

class FileSpool implements Spool, AsyncDisposable {
  readonly #directory: string;
  readonly #lock: Disposable;
  readonly #segments: SpoolSegments;
  readonly #segmentBytesMax: number;
  #writing: { readonly segment: Segment; readonly handle: FileHandle } | null = null;
  #lastNumber = 0;
  #mayGo: Segment | null = null;

  private constructor(
    directory: string,
    { lock, log, segmentBytesMax }: SpoolOptions & { readonly lock: Disposable },
  ) {
    this.#directory = directory;
    this.#lock = lock;
    this.#segments = new SpoolSegments(directory, { segments: [], log });
    this.#segmentBytesMax = segmentBytesMax ?? SEGMENT_BYTES_MAX;
  }

  static async create(
    directory: string,
    options: SpoolOptions & { readonly lock: Disposable },
  ): Promise<FileSpool> {
    const spool = new FileSpool(directory, options);
    await syncDirectory(options.root);
    await spool.#startSegment();
    return spool;
  }

  get bytes(): number {
    return this.#segments.bytes;
  }

  async append(payloads: readonly string[]): Promise<void> {
    const bytes = encodeFrames(payloads);
    const { segment, handle } = await this.#segmentFor(bytes.length);
    try {
      await writeAll(handle, bytes, segment.bytes);
      await handle.datasync();
    } catch (error) {
      await this.#abandon({ segment, handle });
      throw new Error("write to the spool", { cause: error });
    }
    segment.bytes += bytes.length;
  }

  read(bytesMax: number): Promise<SpoolBatch | null> {
    return this.#segments.read(bytesMax);
  }

  async release(batch: SpoolBatch): Promise<void> {
    await this.#segments.release(batch);
    const current = this.#writing?.segment;
    const isAtEnd = batch.end.segment === current?.number && batch.end.offset === current.bytes;
    this.#mayGo = isAtEnd && current.bytes >= RELEASED_BYTES_MAX ? current : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#segments[Symbol.asyncDispose]();
    await this.#writing?.handle.close();
    if (this.#segments.isEmpty) await removeSpool(this.#directory);
    this.#lock[Symbol.dispose]();
  }

  async #segmentFor(bytes: number) {
    if (this.#writing !== null) {
      const { segment, handle } = this.#writing;
      const isFull = segment.bytes > 0 && segment.bytes + bytes > this.#segmentBytesMax;
      if (!isFull && segment !== this.#mayGo) return this.#writing;
      await this.#seal({ segment, handle });
    }
    return this.#startSegment();
  }

  async #startSegment() {
    this.#lastNumber += 1;
    const segment: Segment = { number: this.#lastNumber, bytes: 0, isSealed: false };
    const handle = await open(this.#segments.pathOf(segment), "wx", 0o600);
    try {
      // A file whose name is not on the disk is lost with all that is in it.
      await syncDirectory(this.#directory);
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.#segments.add(segment);
    this.#writing = { segment, handle };
    return this.#writing;
  }

  async #seal({ segment, handle }: { readonly segment: Segment; readonly handle: FileHandle }) {
    this.#writing = null;
    segment.isSealed = true;
    await handle.close();
  }

  /**
   * After a failed write nobody knows what the disk holds behind the last good one. It is cut off, so
   * that no successor reads what was refused; where even that fails, a successor may.
   */
  async #abandon(writing: { readonly segment: Segment; readonly handle: FileHandle }) {
    try {
      await writing.handle.truncate(writing.segment.bytes);
      await writing.handle.datasync();
    } catch {
      // The failed write is the error that is told.
    }
    await this.#seal(writing);
  }
}

async function takeOver(directory: string, log: Logger): Promise<LeftSpool | null> {
  let lock: Disposable | null;
  try {
    lock = tryLockFile(join(directory, LOCK_FILE));
  } catch (error) {
    log.error({ error, directory }, "a spool cannot be looked at");
    return null;
  }
  if (lock === null) return null;
  const segments: Segment[] = [];
  for (const name of await namesIn(directory)) {
    const number = segmentNumber(name);
    if (number === null) continue;
    const { size } = await stat(join(directory, name));
    segments.push({ number, bytes: size, isSealed: true });
  }
  const left = new SpoolSegments(directory, {
    segments: segments.toSorted((a, b) => a.number - b.number),
    log,
  });
  return {
    directory,
    get bytes() {
      return left.bytes;
    },
    read: (bytesMax) => left.read(bytesMax),
    release: (batch) => left.release(batch),
    [Symbol.asyncDispose]: async () => {
      await left[Symbol.asyncDispose]();
      if (left.isEmpty) await removeSpool(directory);
      lock[Symbol.dispose]();
    },
  };
}

/** Empty when there is none. */
async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ENOENT") return [];
    throw error;
  }
}

/** Segments first: whoever takes the directory over in between finds nothing left to do. */
async function removeSpool(directory: string): Promise<void> {
  const names = await namesIn(directory);
  const segments = names.filter((name) => segmentNumber(name) !== null);
  for (const name of segments) await unlink(join(directory, name));
  // And what SQLite keeps beside the lock.
  await rm(directory, { recursive: true, force: true });
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
