/**
 * Names that others choose (models, tools) as labels of metrics or names of folders: at most so many
 * different ones, all further ones are `other`. So nobody fills the memory of this process, of a
 * metrics store or of a disk by making names up.
 *
 * A name that nobody has proven to exist takes one of a part of the places only: made-up names cannot
 * take the places of those that come later and work.
 */
export const OTHER = "other";

/** A guess: longer than any name of a model or tool seen. */
const NAME_LENGTH_MAX = 256;

export type NameLimits = {
  readonly namesMax: number;
  /** Of them, names that are not proven. */
  readonly unprovenMax: number;
};

export class BoundedNames {
  readonly #limits: NameLimits;
  readonly #proven = new Set<string>();
  readonly #unproven = new Set<string>();

  constructor(limits: NameLimits) {
    this.#limits = limits;
  }

  /** The name itself, or `other`. A name that was answered once stays itself. */
  labelOf(name: string): string {
    if (this.#proven.has(name) || this.#unproven.has(name)) return name;
    if (!this.#hasRoomFor(name) || this.#unproven.size >= this.#limits.unprovenMax) return OTHER;
    this.#unproven.add(name);
    return name;
  }

  /** The name is real: it keeps its place, and gets one while any is left. */
  prove(name: string): void {
    if (this.#proven.has(name)) return;
    if (this.#unproven.delete(name) || this.#hasRoomFor(name)) this.#proven.add(name);
  }

  #hasRoomFor(name: string): boolean {
    const names = this.#proven.size + this.#unproven.size;
    return name.length <= NAME_LENGTH_MAX && names < this.#limits.namesMax;
  }
}
