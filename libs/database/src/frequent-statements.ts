/**
 * Which statements of a process come so often that a connection should keep them prepared: to take one
 * apart and plan it costs Postgres more than a small statement itself.
 *
 * Only those that change something, or read within a transaction: they find their few rows by key, so one
 * plan serves all values. So do other reads that begin with a comment which says so. Lists are left alone,
 * whose best plan depends on what they are asked for.
 */
import { createHash } from "node:crypto";

/** Texts that are built anew each time would fill connections for nothing. */
const FREQUENT_FROM = 8;
/** Each is kept by every connection, on the side of Postgres. */
const NAMES_MAX = 100;
const COUNTED_MAX = 1_000;
const BY_KEY = /^\s*(?:(?:insert|update|delete)\s|\/\* by key \*\/)/i;

export class FrequentStatements {
  readonly #names = new Map<string, string>();
  #counts = new Map<string, number>();

  /** The name to prepare it under. Null: as it comes. */
  nameOf(text: string, isInTransaction: boolean): string | null {
    const known = this.#names.get(text);
    if (known !== undefined) return isInTransaction || BY_KEY.test(text) ? known : null;
    if (!isInTransaction && !BY_KEY.test(text)) return null;
    if (this.#names.size >= NAMES_MAX) return null;
    const count = (this.#counts.get(text) ?? 0) + 1;
    if (count < FREQUENT_FROM) {
      if (this.#counts.size >= COUNTED_MAX) this.#counts = new Map();
      this.#counts.set(text, count);
      return null;
    }
    this.#counts.delete(text);
    const name = `frequent_${createHash("sha256").update(text).digest("hex").slice(0, 24)}`;
    this.#names.set(text, name);
    return name;
  }
}
