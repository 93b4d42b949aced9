/**
 * Reads a request's body whole, within a limit of bytes and of silence. Streaming it upstream would
 * not do: the record of a request is durable before its provider hears of it.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { BytePieces } from "@atelier/model-wire/byte-pieces";
import type { GatewayRequest } from "./client-exchange.ts";

export type BodyMistake = "too_large" | "too_slow" | "client_gone";

export type BodyLimits = {
  readonly bytesMax: number;
  /** Longest wait for the next byte, so that a trickling client cannot hold a place for ever. */
  readonly silenceMsMax: number;
};

const NO_BODY = new BytePieces([]);
/** Mean length of pieces from which they are worth more than one copy of them all. */
const PIECE_BYTES_MIN = 8 * 1024;

/** At once, where all of it is here. */
export function readBody(
  req: GatewayRequest,
  { bytesMax, silenceMsMax }: BodyLimits,
): Result<BytePieces, BodyMistake> | Promise<Result<BytePieces, BodyMistake>> {
  const declared = Number(req.headers["content-length"] ?? Number.NaN);
  if (declared > bytesMax) return fail("too_large");
  if (declared === 0) return ok(NO_BODY);
  const arrived = req.takeBody?.() ?? null;
  if (arrived !== null) return whole(arrived, bytesMax);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (outcome: Result<BytePieces, BodyMistake>): void => {
      req.socket.setTimeout(0);
      req.off("data", onData).off("end", onEnd).off("close", onGone).off("timeout", onSilence);
      // What still comes of a refused body is read and dropped, so that the answer can be sent.
      req.resume();
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > bytesMax) settle(fail("too_large"));
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      settle(ok(gathered(chunks, bytes)));
    };
    const onGone = (): void => settle(fail("client_gone"));
    const onSilence = (): void => settle(fail("too_slow"));
    req.socket.setTimeout(silenceMsMax);
    req.on("data", onData).on("end", onEnd).on("close", onGone).on("timeout", onSilence);
    req.on("error", () => {}); // A reset connection: `close` follows.
  });
}

function whole(pieces: readonly Buffer[], bytesMax: number): Result<BytePieces, BodyMistake> {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  return bytes > bytesMax ? fail("too_large") : ok(gathered(pieces, bytes));
}

function gathered(chunks: readonly Buffer[], bytes: number): BytePieces {
  const isSmall = chunks.length > 1 && bytes / chunks.length < PIECE_BYTES_MIN;
  return new BytePieces(isSmall ? [Buffer.concat(chunks, bytes)] : chunks);
}
