/** Bytes of a Node stream as the neutral contract names them, with back-pressure. */
import type { ByteChannel } from "@atelier/contract/rpc/workspace/operation";
import type { Duplex, Readable, Writable } from "node:stream";
import { END_PIECE, pieceHead } from "./framing.ts";

/**
 * A stream's chunks. Unlike the stream's own iterator it leaves the stream alone when the reader
 * stops: the other half may still be needed.
 */
export function chunksOf(stream: Readable): AsyncIterable<Uint8Array> {
  return stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}

/** Resolves when the stream takes more. Rejects when it is broken. */
export async function writeTo(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.writableEnded) throw new Error("the stream is closed");
  if (stream.write(bytes)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      stream.off("drain", onDrain).off("close", onClose);
    };
    const onDrain = (): void => {
      settle();
      resolve();
    };
    const onClose = (): void => {
      settle();
      reject(new Error("the stream closed while it was written to"));
    };
    stream.once("drain", onDrain).once("close", onClose);
  });
}

/** One piece of raw bytes. */
async function writePiece(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (bytes.byteLength === 0) return; // It would say that this is the end.
  if (bytes.byteLength <= COPIED_BYTES_MAX) {
    await writeTo(stream, Buffer.concat([pieceHead(bytes.byteLength), bytes]));
    return;
  }
  // Both at once: nothing may come between them. (Corking would lose a `drain` on HTTP/2 streams.)
  const isTaken = writeTo(stream, pieceHead(bytes.byteLength));
  await Promise.all([isTaken, writeTo(stream, bytes)]);
}

/** Below this, one small copy costs less than two writes. */
const COPIED_BYTES_MAX = 16 * 1024;

/** Sends all of it as raw bytes, and their end. Stops, and lets the source end, when the stream breaks. */
export async function pipeTo(stream: Writable, source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of source) await writePiece(stream, bytes);
  await endPieces(stream);
}

/** Says that nothing comes any more. Resolves when all that was written is on its way. */
export async function endPieces(stream: Writable): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return;
  await new Promise<void>((resolve) => {
    stream.once("close", resolve);
    stream.end(END_PIECE, () => {
      stream.off("close", resolve);
      resolve();
    });
  });
}

/** A channel over a stream whose first message was read already: `incoming` is the rest of it. */
export function channelOf(
  stream: Duplex,
  incoming: AsyncIterable<Uint8Array>,
  destroy: () => void,
): ByteChannel {
  return {
    incoming,
    write: (bytes) => writePiece(stream, bytes),
    end: () => endPieces(stream),
    destroy,
  };
}
