/**
 * Background work with an owner: it is told to stop, it is waited for, and its crash is logged.
 * (Style rule 32: no promise floats.)
 */
import { assert } from "@atelier/base/assert";
import type { Logger } from "@atelier/base/logger";

export class Tasks implements AsyncDisposable {
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Starts `work` at once. A crash ends that work only; whoever must go on loops inside. */
  run(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    assert(!this.#stop.signal.aborted, `task ${name} starts before its owner stops`);
    const running: Promise<void> = this.#watch(name, work).then(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  /** Aborts all work and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("shutting down"));
    await Promise.all(this.#running);
  }

  async #watch(name: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    try {
      await work(signal);
    } catch (error) {
      // Work that was told to stop usually ends with the reason it was given.
      if (!(signal.aborted && isStop(error, signal)))
        this.#log.error({ task: name, error }, "task crashed");
    }
  }
}

function isStop(error: unknown, signal: AbortSignal): boolean {
  if (error === signal.reason) return true;
  return error instanceof Error && (error.name === "AbortError" || error.cause === signal.reason);
}
