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

/**
 * Resolves when the bytes are on their way; write one after the other. Waiting for each write, and not
 * for `drain`, keeps two from being gathered: HTTP/2 streams may never finish a gathered write.
 * Rejects when the stream is broken.
 */
export async function writeTo(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.writableEnded) throw new Error("the stream is closed");
  await new Promise<void>((resolve, reject) => {
    const onClose = (): void => reject(new Error("the stream closed while it was written to"));
    stream.once("close", onClose);
    stream.write(bytes, (error) => {
      stream.off("close", onClose);
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}

/** One piece of raw bytes. */
async function writePiece(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (bytes.byteLength === 0) return; // It would say that this is the end.
  const head = pieceHead(bytes.byteLength);
  if (bytes.byteLength <= COPIED_BYTES_MAX) {
    await writeTo(stream, Buffer.concat([head, bytes]));
    return;
  }
  await writeTo(stream, head);
  await writeTo(stream, bytes);
}

/** Below this, one copy costs less than two writes. */
const COPIED_BYTES_MAX = 64 * 1024;

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
