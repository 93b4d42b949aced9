/**
 * A lock between the threads of one process, for work of microseconds. It knows who holds it, so that
 * it can be taken from a thread that died.
 *
 * Waiting blocks the thread: nothing is awaited and nobody is called while it is held.
 */
const FREE = 0;
/** Tries before the thread sleeps: the work inside is shorter than a sleep. */
const SPINS_MAX = 200;
/** A wake-up that is missed costs no more. */
const SLEEP_MS_MAX = 1;

export const LOCK_BYTES = 4;

export class SharedLock {
  readonly #cell: Int32Array;
  readonly #owner: number;

  constructor(cell: Int32Array, member: number) {
    this.#cell = cell;
    this.#owner = member + 1;
  }

  run<Outcome>(work: () => Outcome): Outcome {
    this.#take();
    try {
      return work();
    } finally {
      Atomics.store(this.#cell, 0, FREE);
      Atomics.notify(this.#cell, 0, 1);
    }
  }

  /** For a thread that is no more. */
  takeFrom(member: number): void {
    if (Atomics.compareExchange(this.#cell, 0, member + 1, FREE) === member + 1)
      Atomics.notify(this.#cell, 0);
  }

  #take(): void {
    for (let spins = 0; ; spins += 1) {
      const holder = Atomics.compareExchange(this.#cell, 0, FREE, this.#owner);
      if (holder === FREE) return;
      if (spins > SPINS_MAX) Atomics.wait(this.#cell, 0, holder, SLEEP_MS_MAX);
    }
  }
}
