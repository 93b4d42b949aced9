/** Byte streams for tests of commands that use none, or that use them in memory. */
import type { ByteStreams } from "./byte-streams.ts";

/** No terminal, no input, and output that nobody reads. */
export const NO_STREAMS: ByteStreams = {
  isInputTerminal: false,
  isOutputTerminal: false,
  async *input() {},
  releaseInput: () => {},
  writeOut: async () => {},
  writeErr: async () => {},
  size: () => ({ columns: 80, rows: 24 }),
  onResize: () => () => {},
  setRaw: () => {},
};
