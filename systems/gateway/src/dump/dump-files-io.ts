/**
 * Files of dumps: written in the background, readable by this process's user only. Nobody waits for
 * them, and nothing that goes wrong with them reaches whoever writes: it is a line in the log.
 *
 * What waits to be written is limited for all files together. A disk that is slower than the traffic
 * costs the ends of dumps, not the memory of the process.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A guess: two of the largest requests. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
/** Files that are not whole yet. A guess: each call has two or three. */
const FILES_MAX = 1_000;
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const CUT_NOTE = Buffer.from("\n[cut here: the disk is slower than the traffic]\n");

export type DumpHandle = {
  writeFile(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
};

export type DumpFilesDeps = {
  /** Made where it is absent. */
  readonly directory: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Fails when the file exists. Absent: a file of the host's. */
  readonly openFile?: (path: string) => Promise<DumpHandle>;
};

export interface DumpFile {
  /** Keeps the bytes until they are written: they must not change. */
  write(bytes: Uint8Array): void;
  /** Counts bytes that stay in memory until the file is whole. False: there is no room for them. */
  keep(bytes: number): boolean;
  end(): void;
  /** Resolves when nothing waits to be written, for whatever reason. */
  flushed(): Promise<void>;
}

export class DumpFiles {
  readonly #deps: DumpFilesDeps;
  readonly #writing = new Set<Promise<void>>();
  #waitingBytes = 0;
  /** One line when it breaks and one when it heals, however many calls there are. */
  #isFailing = false;

  constructor(deps: DumpFilesDeps) {
    this.#deps = deps;
  }

  /** `path` is below the directory, of components that are safe. */
  create(path: string): DumpFile {
    if (this.#writing.size >= FILES_MAX) {
      this.#reportFailure({ files: FILES_MAX }, "api dumps are left out: the disk is too slow");
      return NO_FILE;
    }
    const file = new WaitingFile({
      admit: (bytes) => this.#admit(bytes),
      release: (bytes) => {
        this.#waitingBytes -= bytes;
      },
    });
    const writing = this.#writeAll(file, path).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
    return file;
  }

  /** Resolves when all files are written, or after the time. */
  async close(withinMs: number): Promise<void> {
    if (this.#writing.size === 0) return;
    const timer = new AbortController();
    const late = this.#deps.clock.sleep(withinMs, timer.signal).then(
      () => this.#deps.log.warn({ files: this.#writing.size }, "api dumps were not finished"),
      () => {}, // All files were written in time.
    );
    await Promise.race([Promise.all(this.#writing), late]);
    timer.abort(new Error("written"));
  }

  #admit(bytes: number): boolean {
    if (this.#waitingBytes + bytes > WAITING_BYTES_MAX) return false;
    this.#waitingBytes += bytes;
    return true;
  }

  async #writeAll(file: WaitingFile, path: string): Promise<void> {
    const { directory, log } = this.#deps;
    const fullPath = join(directory, path);
    try {
      await mkdir(dirname(fullPath), { recursive: true, mode: DIRECTORY_MODE });
      await file.writeTo(await this.#open(fullPath));
      if (this.#isFailing) log.info({ directory }, "api dumps are written again");
      this.#isFailing = false;
    } catch (error) {
      file.abandon();
      this.#reportFailure({ error, path: fullPath }, "writing an api dump failed");
    }
  }

  #reportFailure(fields: object, message: string): void {
    if (!this.#isFailing) this.#deps.log.warn(fields, message);
    this.#isFailing = true;
  }

  async #open(path: string): Promise<DumpHandle> {
    if (this.#deps.openFile !== undefined) return this.#deps.openFile(path);
    return open(path, "wx", FILE_MODE);
  }
}

const NO_FILE: DumpFile = {
  write: () => {},
  keep: () => true,
  end: () => {},
  flushed: () => Promise.resolve(),
};

type Room = { admit(bytes: number): boolean; release(bytes: number): void };

class WaitingFile implements DumpFile {
  readonly #room: Room;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #keptBytes = 0;
  #state: "open" | "ended" | "abandoned" = "open";
  #more = Promise.withResolvers<void>();
  #drained = Promise.withResolvers<void>();

  constructor(room: Room) {
    this.#room = room;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== "open" || bytes.length === 0) return;
    if (this.#room.admit(bytes.length)) {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
      this.#more.resolve();
    } else {
      this.#waiting.push(CUT_NOTE);
      this.end();
    }
  }

  keep(bytes: number): boolean {
    const isAdmitted = this.#room.admit(bytes);
    if (isAdmitted) this.#keptBytes += bytes;
    return isAdmitted;
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#more.resolve();
  }

  async flushed(): Promise<void> {
    if (this.#waiting.length > 0 && this.#state !== "abandoned") await this.#drained.promise;
  }

  async writeTo(handle: DumpHandle): Promise<void> {
    try {
      for (;;) {
        await this.#more.promise;
        this.#more = Promise.withResolvers<void>();
        await this.#writeWaiting(handle);
        if (this.#state !== "open" && this.#waiting.length === 0) return;
      }
    } finally {
      this.#release();
      await handle.close();
    }
  }

  /** What waits is dropped, and so is all that comes. */
  abandon(): void {
    this.#state = "abandoned";
    this.#waiting = [];
    this.#release();
  }

  async #writeWaiting(handle: DumpHandle): Promise<void> {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    const held = this.#waitingBytes;
    this.#waitingBytes = 0;
    try {
      await handle.writeFile(bytes);
    } finally {
      this.#room.release(held);
      this.#drained.resolve();
      this.#drained = Promise.withResolvers<void>();
    }
  }

  #release(): void {
    this.#room.release(this.#waitingBytes + this.#keptBytes);
    this.#waitingBytes = 0;
    this.#keptBytes = 0;
    this.#drained.resolve();
  }
}
