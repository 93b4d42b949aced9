/**
 * The CLI's input and output as bytes, and the terminal's size and mode: for commands that pass bytes
 * on as they are.
 */
import { once } from "node:events";
import type { ReadStream, WriteStream } from "node:tty";

export type TerminalSize = { readonly columns: number; readonly rows: number };

export type ByteStreams = {
  readonly isInputTerminal: boolean;
  readonly isOutputTerminal: boolean;
  /** Ends when the input does. Whoever stops reading lets go of it. */
  input(): AsyncIterable<Uint8Array>;
  /** Input under way keeps the process from its end no longer. */
  releaseInput(): void;
  /** Resolve when more may be written. Reject with `ReaderGone` when nobody reads any more. */
  writeOut(bytes: Uint8Array): Promise<void>;
  writeErr(bytes: Uint8Array): Promise<void>;
  size(): TerminalSize;
  /** The result ends it. */
  onResize(listener: () => void): () => void;
  /** Each key as it is typed, Ctrl-C included; and back. Does nothing without a terminal. */
  setRaw(isRaw: boolean): void;
};

export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

const SIZE_DEFAULT: TerminalSize = { columns: 80, rows: 24 };

export function processByteStreams(): ByteStreams {
  const { stdin, stdout, stderr } = process;
  return {
    isInputTerminal: stdin.isTTY,
    isOutputTerminal: stdout.isTTY,
    input: () => inputOf(stdin),
    releaseInput: () => {
      stdin.pause();
      stdin.unref();
    },
    writeOut: (bytes) => writeTo(stdout, bytes),
    writeErr: (bytes) => writeTo(stderr, bytes),
    size: () =>
      stdout.isTTY ? { columns: stdout.columns, rows: stdout.rows } : { ...SIZE_DEFAULT },
    onResize: (listener) => {
      stdout.on("resize", listener);
      return () => stdout.off("resize", listener);
    },
    setRaw: (isRaw) => {
      if (stdin.isTTY) stdin.setRawMode(isRaw);
    },
  };
}

async function* inputOf(stdin: ReadStream): AsyncGenerator<Uint8Array> {
  try {
    yield* stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } finally {
    // Else an open terminal keeps the process running.
    stdin.pause();
    stdin.unref();
  }
}

async function writeTo(stream: WriteStream, bytes: Uint8Array): Promise<void> {
  if (stream.destroyed) throw new ReaderGone("nobody reads the output any more");
  if (stream.write(bytes)) return;
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(stream, "drain", { signal }), once(stream, "close", { signal })]);
  } finally {
    settled.abort();
  }
}
