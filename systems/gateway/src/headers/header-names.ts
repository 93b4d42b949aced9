/**
 * A set of header names that most names are told apart from by their length, before a lower-case copy of
 * one is made and looked up: that is most of what a set of texts costs for names that are new each time.
 */
export class HeaderNames {
  readonly #byLength: readonly (readonly string[] | undefined)[];

  /** In lower case. */
  constructor(names: readonly string[]) {
    const byLength: string[][] = [];
    for (const name of names) (byLength[name.length] ??= []).push(name);
    this.#byLength = byLength;
  }

  /** In lower case. Undefined: none is as long. */
  ofLength(length: number): readonly string[] | undefined {
    return this.#byLength[length];
  }

  /** In whatever case the name is written. */
  has(name: string): boolean {
    const sameLength = this.#byLength[name.length];
    return sameLength !== undefined && sameLength.includes(name.toLowerCase());
  }
}
