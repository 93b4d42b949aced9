/**
 * One buffer that all plain connections to providers are read into. What came is copied out of it at once: for
 * what models answer that costs less than memory of its own for each read, which Node otherwise takes at 64 kB.
 */
import type { OnReadOpts } from "node:net";

export interface ReadTarget {
  onData(chunk: Buffer): void;
}

/** What Node reads at once. */
const READ_BYTES_MAX = 64 * 1024;
const shared = Buffer.allocUnsafeSlow(READ_BYTES_MAX);

/** The socket's option, and where the one that reads it is to be put. */
export class SharedRead {
  target: ReadTarget | null = null;

  readonly option: OnReadOpts = {
    buffer: shared,
    callback: (bytes: number) => {
      const { target } = this;
      if (target === null) return true;
      const chunk = Buffer.allocUnsafe(bytes);
      shared.copy(chunk, 0, 0, bytes);
      target.onData(chunk);
      return true;
    },
  };
}
