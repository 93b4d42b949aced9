/**
 * One page of a directory: the first entries after a mark, in the order of listings, out of as many
 * as come. Memory does not grow with the directory.
 */
export type Entry = { readonly name: string; readonly isDirectory: boolean };

export class EntryPage {
  readonly #after: string;
  readonly #limit: number;
  #kept: Entry[] = [];

  /** `after` is a mark that an earlier page gave, or empty. */
  constructor(after: string, limit: number) {
    this.#after = after;
    this.#limit = limit;
  }

  add(entry: Entry): void {
    if (this.#after !== "" && compareMarks(markOf(entry), this.#after) <= 0) return;
    this.#kept.push(entry);
    if (this.#kept.length > 2 * (this.#limit + 1)) this.#shrink();
  }

  /** `next` is the mark for the page after this. Null: there is none. */
  end(): { readonly entries: readonly Entry[]; readonly next: string | null } {
    this.#shrink();
    const entries = this.#kept.slice(0, this.#limit);
    const last = entries.at(-1);
    const isLast = this.#kept.length <= this.#limit;
    return { entries, next: isLast || last === undefined ? null : markOf(last) };
  }

  #shrink(): void {
    this.#kept = this.#kept
      .toSorted((a, b) => compareMarks(markOf(a), markOf(b)))
      .slice(0, this.#limit + 1);
  }
}

/** Directories sort before everything else. */
function markOf({ name, isDirectory }: Entry): string {
  return `${isDirectory ? "d" : "f"}/${name}`;
}

function compareMarks(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
