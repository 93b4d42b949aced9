/**
 * The bytes of an upload. A source that breaks is told from a disk that does, and whoever waits for a
 * source that is silent hears of an abort.
 */
export class BrokenSource extends Error {
  override readonly name = "BrokenSource";
}

export class UploadContent implements AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #aborted = Promise.withResolvers<never>();
  readonly #onAbort = (): void =>
    this.#aborted.reject(new BrokenSource("aborted", { cause: this.#signal.reason }));

  constructor(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    this.#source = bytes[Symbol.asyncIterator]();
    this.#signal = signal;
    this.#aborted.promise.catch(() => {}); // It may abort when nobody reads.
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = await Promise.race([this.#next(), this.#aborted.promise]);
      if (next.done === true) return;
      yield next.value;
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#source.next();
    } catch (error) {
      throw new BrokenSource("the source of an upload broke", { cause: error });
    }
  }

  /** Lets the source end, whether it was read or not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#onAbort);
    if (this.#signal.aborted) return; // It may never answer.
    await this.#source.return?.();
  }
}
