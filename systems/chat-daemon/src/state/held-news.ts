/**
 * What is announced of a chat while this server changes it can be just that change, and quicker than its own
 * statement's answer: it waits for that. Not for long: an answer can be lost on the way.
 */
import type { Clock } from "@atelier/base/clock";

const HELD_MS_MAX = 250;
/** Made once: with each comes a trace of the stack. */
const RELEASED = new Error("nothing is held any more");

export class HeldNews<News> {
  readonly #clock: Clock;
  readonly #deliver: (held: readonly News[]) => void;
  /** Changes that are under way. */
  #changes = 0;
  #held: News[] = [];
  /** Ends the wait for them. Null: nothing is held. */
  #waiting: AbortController | null = null;

  /** `deliver` is given what was held, in the order in which it came. */
  constructor(clock: Clock, deliver: (held: readonly News[]) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  /** Whether something that comes now may be of a change that is under way. */
  get isChanging(): boolean {
    return this.#changes > 0;
  }

  async during<Value>(change: () => Promise<Value>): Promise<Value> {
    this.#changes += 1;
    try {
      return await change();
    } finally {
      this.#changes -= 1;
      if (this.#changes === 0) this.#release();
    }
  }

  hold(news: News): void {
    this.#held.push(news);
    if (this.#waiting !== null) return;
    this.#waiting = new AbortController();
    this.#clock.sleep(HELD_MS_MAX, this.#waiting.signal).then(
      () => this.#release(),
      () => {}, // They were released.
    );
  }

  #release(): void {
    const held = this.#held;
    if (held.length === 0) return;
    this.#held = [];
    this.#waiting?.abort(RELEASED);
    this.#waiting = null;
    this.#deliver(held);
  }
}
