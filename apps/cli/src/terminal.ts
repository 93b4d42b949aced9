/**
 * Where the CLI reads and writes. Answers go to stdout, everything else to stderr.
 *
 * When the reader of stdout goes away, as `head` does, the rest is dropped without an error.
 */
import { addAbortSignal } from "node:stream";
import { fail, ok, type Result } from "@atelier/base/result";

export type ReadInput = (
  bytesMax: number,
  signal: AbortSignal,
) => Promise<Result<string, "too_large" | "cancelled">>;

export type Terminal = {
  /** Somebody sits there who can answer questions: input and messages are both a terminal. */
  readonly isInteractive: boolean;
  /** Of stdout; null when it is not a terminal. */
  readonly columns: number | null;
  writeOut(text: string): void;
  writeErr(text: string): void;
  /** All of stdin. */
  readonly readInput: ReadInput;
};

export function processTerminal(): Terminal {
  let isReaderGone = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    isReaderGone = true;
  });
  return {
    isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    columns: process.stdout.isTTY ? process.stdout.columns : null,
    writeOut: (text) => {
      if (!isReaderGone) process.stdout.write(text);
    },
    writeErr: (text) => {
      process.stderr.write(text);
    },
    readInput,
  };
}

const readInput: ReadInput = async (bytesMax, signal) => {
  addAbortSignal(signal, process.stdin);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) return fail("too_large");
      chunks.push(chunk);
    }
  } catch (error) {
    if (signal.aborted) return fail("cancelled");
    throw error;
  }
  return ok(Buffer.concat(chunks).toString("utf8"));
};
