/**
 * Notes in memory that threads share. A value lies serialized in a row of its own; every change happens
 * under one lock. Whoever reads keeps what it read and looks again only after something near it has
 * changed, so that reading takes no lock while there is no trouble.
 *
 * The memory is bounded: where no row is left for a name, the one that was quiet for longest is
 * forgotten. A row whose writer died in the middle counts as forgotten, too.
 */
import { assert } from "@atelier/base/assert";
import { deserialize, serialize } from "node:v8";
import type { Note, Notebook } from "./note.ts";
import { SharedLock, LOCK_BYTES } from "./shared-lock.ts";
import { bitsOf, hasBits, placeOf, type NameBits } from "./shared-name.ts";

/** Only what is in trouble has a row: 2,048 keys and models of providers at once. */
const PLACES = 128;
const ROWS_PER_PLACE = 16;
const ROWS = PLACES * ROWS_PER_PLACE;
/** A name and a value with a message of 500 UTF-16 units. */
const ROW_BYTES = 3_072;
/** Of a name, in UTF-16 units: longer ones end in a digest. */
const NAME_LENGTH_MAX = 400;
const NAME_KEPT_LENGTH = 300;

/** Of a row's head, in numbers: the name's bits, when it changed last, and how many bytes it has. */
const HEAD = { changed: 4, length: 5, size: 6 } as const;
const FREE = 0;

const HEADS_AT = LOCK_BYTES + 4 + PLACES * 4;
const ROWS_AT = HEADS_AT + ROWS * HEAD.size * 4;
export const SHARED_NOTES_BYTES = ROWS_AT + ROWS * ROW_BYTES;

type Row = { readonly name: string; readonly value: object };

export class SharedNotes implements Notebook {
  readonly member: number;
  readonly #lock: SharedLock;
  /** How many changes there were, in all. */
  readonly #changes: Int32Array;
  /** And at each place. */
  readonly #versions: Int32Array;
  readonly #heads: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer, member: number) {
    this.member = member;
    this.#lock = new SharedLock(new Int32Array(memory, 0, 1), member);
    this.#changes = new Int32Array(memory, LOCK_BYTES, 1);
    this.#versions = new Int32Array(memory, LOCK_BYTES + 4, PLACES);
    this.#heads = new Int32Array(memory, HEADS_AT, ROWS * HEAD.size);
    this.#bytes = new Uint8Array(memory, ROWS_AT, ROWS * ROW_BYTES);
  }

  note<Value extends object>(name: string, blank: () => Value): Note<Value> {
    const short = shortened(name);
    const bits = bitsOf(short);
    const place = placeOf(bits, PLACES);
    let known: { readonly value: Value; readonly version: number } | null = null;
    /** With the lock. */
    const latest = (): Value => {
      const version = Atomics.load(this.#versions, place);
      if (known?.version === version) return known.value;
      const row = this.#find(bits, place);
      // What lies there was written by `change` below, for this name.
      const value =
        (row === null ? null : (this.#rowAt(row)?.value as Value | undefined)) ?? blank();
      known = { value, version };
      return value;
    };
    return {
      read: () =>
        known?.version === Atomics.load(this.#versions, place)
          ? known.value
          : this.#lock.run(latest),
      change: (work) =>
        this.#lock.run(() => {
          const value = latest();
          known = null;
          const outcome = work(value);
          known = { value, version: this.#write(bits, place, { name: short, value }) };
          return outcome;
        }),
      forget: () =>
        this.#lock.run(() => {
          const row = this.#find(bits, place);
          if (row !== null) this.#free(row);
        }),
    };
  }

  names(prefix: string): readonly string[] {
    return this.#lock.run(() =>
      this.#rows().flatMap(([, { name }]) => (name.startsWith(prefix) ? [name] : [])),
    );
  }

  /** Takes what a dead thread held, and has `work` put right what it has noted. */
  repair(member: number, work: (name: string, value: object) => void): void {
    this.#lock.takeFrom(member);
    this.#lock.run(() => {
      for (const [row, noted] of this.#rows()) {
        work(noted.name, noted.value);
        this.#write(bitsOf(noted.name), placeOfRow(row), noted);
      }
    });
  }

  #rows(): [row: number, noted: Row][] {
    const rows: [number, Row][] = [];
    for (let row = 0; row < ROWS; row += 1) {
      const noted = this.#rowAt(row);
      if (noted !== null) rows.push([row, noted]);
    }
    return rows;
  }

  #find(bits: NameBits, place: number): number | null {
    for (const row of rowsOf(place)) {
      const head = row * HEAD.size;
      if (this.#heads[head + HEAD.length] !== FREE && hasBits(this.#heads, head, bits)) return row;
    }
    return null;
  }

  #rowAt(row: number): Row | null {
    const length = this.#heads[row * HEAD.size + HEAD.length] ?? FREE;
    if (length === FREE) return null;
    // A copy: what is shared cannot be read as a value directly. Only `#write` writes here.
    const start = row * ROW_BYTES;
    return deserialize(Buffer.from(this.#bytes.subarray(start, start + length))) as Row;
  }

  /** The version of the place from then on. */
  #write(bits: NameBits, place: number, noted: Row): number {
    const bytes = serialize(noted);
    assert(bytes.byteLength <= ROW_BYTES, "a note fits into its row");
    const row = this.#find(bits, place) ?? this.#quietest(place);
    const head = row * HEAD.size;
    // Free until all of it is there: its writer may die.
    this.#heads[head + HEAD.length] = FREE;
    this.#bytes.set(bytes, row * ROW_BYTES);
    this.#heads.set(bits, head);
    this.#heads[head + HEAD.changed] = Atomics.add(this.#changes, 0, 1) + 1;
    this.#heads[head + HEAD.length] = bytes.byteLength;
    return Atomics.add(this.#versions, place, 1) + 1;
  }

  #free(row: number): void {
    this.#heads[row * HEAD.size + HEAD.length] = FREE;
    Atomics.add(this.#versions, placeOfRow(row), 1);
  }

  /** A free row if there is one. */
  #quietest(place: number): number {
    const changed = (row: number): number =>
      this.#heads[row * HEAD.size + HEAD.length] === FREE
        ? -1
        : (this.#heads[row * HEAD.size + HEAD.changed] ?? 0);
    const [first = 0, ...others] = rowsOf(place);
    return others.reduce((best, row) => (changed(row) < changed(best) ? row : best), first);
  }
}

function rowsOf(place: number): readonly number[] {
  return Array.from({ length: ROWS_PER_PLACE }, (_, i) => place * ROWS_PER_PLACE + i);
}

function placeOfRow(row: number): number {
  return Math.floor(row / ROWS_PER_PLACE);
}

function shortened(name: string): string {
  if (name.length <= NAME_LENGTH_MAX) return name;
  return `${name.slice(0, NAME_KEPT_LENGTH)}${bitsOf(name).join(".")}`;
}
