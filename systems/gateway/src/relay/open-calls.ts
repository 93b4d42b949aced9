/**
 * The calls under way, each with what ends it when the server stops.
 *
 * Not a Set: one that is added to and deleted from all the time is copied into a new table again and again. Each
 * table that was left refers to the next and still to what was in it, so that one that has reached the old
 * generation makes every call after it outlive the collections of the young (docs/discoveries/hot-path.md).
 */
export type EndCall = () => void;

export class OpenCalls {
  readonly #places: (EndCall | null)[] = [];
  readonly #free: number[] = [];

  /** Call what it returns when the call is over. */
  add(end: EndCall): () => void {
    const place = this.#free.pop() ?? this.#places.length;
    this.#places[place] = end;
    return () => {
      if (this.#places[place] !== end) return;
      this.#places[place] = null;
      this.#free.push(place);
    };
  }

  endAll(): void {
    // By place, because the end of one may be that of others.
    for (let place = 0; place < this.#places.length; place += 1) this.#places[place]?.();
  }
}
