/**
 * What was read a moment ago, for those who ask for it again and again: for MEMORY_MS at most, and not
 * beyond a change that this server makes or hears of. What other servers change counts a moment later.
 */
import type { Clock } from "@atelier/base/clock";

/** As quickly as a change of providers reaches the gateways of all servers. */
export const MEMORY_MS = 2_000;
/** Then all of it is forgotten: it comes back with the next questions. */
const KNOWN_MAX = 10_000;

export class BriefMemory<Value> {
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly value: Value; readonly readMs: number }>();
  /** Of what was forgotten at once: a read that began before does not bring it back. */
  #epoch = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `isKept`: whether a value may be remembered. */
  async get(
    key: string,
    read: () => Promise<Value>,
    isKept: (value: Value) => boolean,
  ): Promise<Value> {
    const startedMs = this.#clock.monotonicMs();
    const known = this.#known.get(key);
    if (known !== undefined && startedMs - known.readMs < MEMORY_MS) return known.value;
    const epoch = this.#epoch;
    const value = await read();
    if (epoch !== this.#epoch) return value;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    // Its age counts from before the read: the database may have answered late.
    if (isKept(value)) this.#known.set(key, { value, readMs: startedMs });
    else this.#known.delete(key);
    return value;
  }

  forget(): void {
    this.#epoch += 1;
    this.#known.clear();
  }
}
