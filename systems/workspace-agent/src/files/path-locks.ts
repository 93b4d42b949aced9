/** One change of a file at a time, so that two callers at once do not lose each other's. */
export class PathLocks {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs work when all earlier work on any of these paths is over. */
  async hold<Value>(paths: readonly string[], work: () => Promise<Value>): Promise<Value> {
    const done = Promise.withResolvers<void>();
    const unique = [...new Set(paths)];
    // All at once, before anything is awaited: so no two holders can wait for each other.
    const earlier = unique.map((path) => this.#tails.get(path) ?? Promise.resolve());
    const tail = Promise.all(earlier).then(() => done.promise);
    for (const path of unique) this.#tails.set(path, tail);
    try {
      await Promise.all(earlier);
      return await work();
    } finally {
      done.resolve();
      for (const path of unique) if (this.#tails.get(path) === tail) this.#tails.delete(path);
    }
  }
}
