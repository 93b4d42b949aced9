/**
 * Which interceptions a thread has begun and not yet ended in the database, in memory that outlives the
 * thread: whoever finds it dead ends them in its place.
 *
 * One thread writes, and others read once that one is no more, so nothing is locked. Where all rows are
 * taken, further ones are not noted: they then stay open until the whole server is found dead.
 */

/** What must be known to end one. */
export type OpenRecord = { readonly id: string; readonly startedAt: Date };

/** More than one thread serves at once, and the ends that it keeps through a short outage. */
const ROWS = 65_536;
const ID_BYTES = 16;
const FREE = 0;
const IDS_AT = ROWS * Float64Array.BYTES_PER_ELEMENT;

export function createOpenRecordsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(IDS_AT + ROWS * ID_BYTES);
}

export class OpenRecords {
  readonly #startedMs: Float64Array;
  readonly #ids: Buffer;
  readonly #rows = new Map<string, number>();
  /** Rows below this one were in use before. */
  #used = 0;
  readonly #freed: number[] = [];

  /** The memory is this thread's, and empty. */
  constructor(memory: SharedArrayBuffer) {
    this.#startedMs = new Float64Array(memory, 0, ROWS);
    this.#ids = Buffer.from(memory, IDS_AT);
  }

  /** Before the database can know of it. */
  add({ id, startedAt }: OpenRecord): void {
    const row = this.#freed.pop() ?? (this.#used < ROWS ? this.#used++ : null);
    if (row === null) return;
    this.#rows.set(id, row);
    this.#ids.write(id.replaceAll("-", ""), row * ID_BYTES, ID_BYTES, "hex");
    // Last: a row without a time is free.
    this.#startedMs[row] = startedAt.getTime();
  }

  delete(id: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    this.#startedMs[row] = FREE;
    this.#freed.push(row);
  }
}

/** Of a thread that is no more. */
export function listOpenRecords(memory: SharedArrayBuffer): readonly OpenRecord[] {
  const ids = Buffer.from(memory, IDS_AT);
  const open: OpenRecord[] = [];
  for (const [row, startedMs] of new Float64Array(memory, 0, ROWS).entries()) {
    if (startedMs === FREE) continue;
    const hex = ids.toString("hex", row * ID_BYTES, (row + 1) * ID_BYTES);
    open.push({ id: toUuid(hex), startedAt: new Date(startedMs) });
  }
  return open;
}

function toUuid(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}
