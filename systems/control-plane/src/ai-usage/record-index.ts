/**
 * Records by their ids, where that changes with every request.
 *
 * Not a Map or a Set: V8 makes each text that becomes a key a known one, which costs more than all else that is done
 * with it here, and copies a table that is added to and deleted from again and again, so that what was in it outlives
 * its request (docs/discoveries/hot-path.md). Ids are made by us: their last characters are as good as random.
 */

/** A power of two. */
const PLACES = 4_096;
/** The characters of an id that tell its place. */
const TOLD_BY = 8;

type Entry<Value> = {
  readonly id: string;
  readonly value: Value;
  next: Entry<Value> | null;
};

export class RecordIndex<Value> {
  readonly #places: (Entry<Value> | null)[];
  readonly #max: number;
  #size = 0;

  /** Above `max` one is forgotten for each that comes: the oldest in the same place. */
  constructor({ max, places = PLACES }: { readonly max: number; readonly places?: number }) {
    this.#max = max;
    this.#places = [];
    for (let place = 0; place < places; place += 1) this.#places.push(null);
  }

  get size(): number {
    return this.#size;
  }

  get(id: string): Value | undefined {
    for (let at = this.#places[this.#placeOf(id)] ?? null; at !== null; at = at.next) {
      if (at.id === id) return at.value;
    }
    return undefined;
  }

  /** False: there is one with this id already, and it stays. */
  add(id: string, value: Value): boolean {
    if (this.get(id) !== undefined) return false;
    const place = this.#placeOf(id);
    const next = this.#places[place] ?? null;
    this.#places[place] = { id, value, next };
    this.#size += 1;
    if (this.#size > this.#max && next !== null) this.#forgetOldest(place);
    return true;
  }

  /** Answers what was there. */
  delete(id: string): Value | undefined {
    const place = this.#placeOf(id);
    let before: Entry<Value> | null = null;
    for (let at = this.#places[place] ?? null; at !== null; at = at.next) {
      if (at.id === id) {
        if (before === null) this.#places[place] = at.next;
        else before.next = at.next;
        this.#size -= 1;
        return at.value;
      }
      before = at;
    }
    return undefined;
  }

  /** New ones stand first. */
  #forgetOldest(place: number): void {
    let before: Entry<Value> | null = null;
    let oldest = this.#places[place] ?? null;
    for (; oldest !== null && oldest.next !== null; oldest = oldest.next) before = oldest;
    if (before === null) return;
    before.next = null;
    this.#size -= 1;
  }

  #placeOf(id: string): number {
    let sum = 0;
    for (let at = Math.max(0, id.length - TOLD_BY); at < id.length; at += 1) {
      sum = (31 * sum + id.charCodeAt(at)) | 0;
    }
    return (sum ^ (sum >>> 12)) & (this.#places.length - 1);
  }
}
