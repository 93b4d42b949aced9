/**
 * Where the time of one call went until its answer began, for the header Server-Timing: browsers and
 * curl show it, and a person sees at once whether the gateway or the provider is slow.
 *
 * Parts follow each other, so they add up to the total. A call has one of these whether or not anybody
 * looks: it costs a few numbers and one short text.
 */
import type { Clock } from "@atelier/base/clock";

/**
 * `auth`: who asks, and whether there is room for them. `body`: reading and understanding the request.
 * `record`: until its start is durable. `queue`: waiting for a key that is not too busy, where it came to that.
 */
export type TimedPart = "auth" | "body" | "record" | "queue";

export class CallTiming {
  readonly #clock: Clock;
  readonly #startedMs: number;
  #lastMs: number;
  #parts = "";

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = this.#lastMs = clock.monotonicMs();
  }

  /** The part that ends here began where the one before it ended. */
  mark(part: TimedPart): void {
    this.#parts += `${this.#entry(part)}, `;
  }

  /** The header's value as the answer begins: what is left is the wait for the provider, attempts and all. */
  header(): string {
    const upstream = this.#entry("upstream");
    return `${this.#parts}${upstream}, ${entry("total", this.#lastMs - this.#startedMs)}`;
  }

  #entry(name: string): string {
    const nowMs = this.#clock.monotonicMs();
    const tookMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    return entry(name, tookMs);
  }
}

/** In milliseconds, as the header's specification has it (W3C Server Timing). */
function entry(name: string, ms: number): string {
  const hundredths = Math.round(ms * 100);
  const rest = hundredths % 100;
  // Whole numbers become text at a fraction of what others take.
  const fraction =
    rest === 0 ? "" : rest % 10 === 0 ? `.${rest / 10}` : `.${rest < 10 ? "0" : ""}${rest}`;
  return `${name};dur=${(hundredths - rest) / 100}${fraction}`;
}
