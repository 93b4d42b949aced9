/**
 * The input of a process that was started with one: a pipe whose writing end the agent holds. Calls
 * take turns, and each waits until the process has room.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { Writable } from "node:stream";

const CLOSED: WorkspaceFailure = {
  code: "conflict",
  message: "The input of this process is closed.",
};

export class ProcessInput {
  readonly #pipe: Writable;
  #lastCall: Promise<unknown> = Promise.resolve();

  constructor(pipe: Writable) {
    this.#pipe = pipe;
    pipe.on("error", () => {}); // Whoever writes hears it from the write.
  }

  /** Rejects when the bytes or the signal do; what came before was written, and the input is open. */
  async feed(
    bytes: AsyncIterable<Uint8Array>,
    endInput: boolean,
    signal: AbortSignal,
  ): Promise<Result<{ readonly bytes: number }, WorkspaceFailure>> {
    const turn = Promise.withResolvers<void>();
    const before = this.#lastCall;
    this.#lastCall = before.then(() => turn.promise);
    try {
      await Promise.race([before, rejectionBy(signal)]);
      return await this.#feed(bytes, endInput, signal);
    } finally {
      turn.resolve();
    }
  }

  close(): void {
    this.#pipe.destroy();
  }

  async #feed(
    bytes: AsyncIterable<Uint8Array>,
    endInput: boolean,
    signal: AbortSignal,
  ): Promise<Result<{ readonly bytes: number }, WorkspaceFailure>> {
    let count = 0;
    for await (const chunk of bytes) {
      signal.throwIfAborted();
      if (!(await this.#write(chunk, signal))) return fail(CLOSED);
      count += chunk.byteLength;
    }
    if (!this.#pipe.writable) return fail(CLOSED);
    if (endInput) this.#pipe.end();
    return ok({ bytes: count });
  }

  /** False: nobody reads it any more. */
  #write(chunk: Uint8Array, signal: AbortSignal): Promise<boolean> {
    if (!this.#pipe.writable) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      signal.addEventListener("abort", abort, { once: true });
      this.#pipe.write(chunk, (error) => {
        signal.removeEventListener("abort", abort);
        resolve(error === null || error === undefined);
      });
    });
  }
}

/** Never resolves. */
function rejectionBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
