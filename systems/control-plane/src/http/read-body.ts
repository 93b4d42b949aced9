/** Reads a request's body up to a limit: as bytes, or as JSON. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { IncomingMessage } from "node:http";

export const BODY_BYTES_MAX = 1_048_576;

/**
 * Undefined when there is no body. The content type is not looked at: some clients send JSON under
 * another name, and cross-site forms are refused before (see admit.ts). Throws when the client goes
 * away half-way.
 */
export async function readJsonBody(
  request: IncomingMessage,
  bytesMax = BODY_BYTES_MAX,
): Promise<Result<unknown, Failure<"request.too_large" | "request.invalid">>> {
  const body = await readBytes(request, bytesMax);
  if (!body.ok) return body;
  return body.value.length === 0 ? ok(undefined) : parseJson(body.value);
}

/** Throws when the client goes away half-way. */
export async function readBytes(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Result<Buffer, Failure<"request.too_large">>> {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) {
    return fail({ code: "request.too_large" });
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  // What has come as a whole need not be waited for piece by piece.
  if (request.complete && request.readableLength <= bytesMax) {
    for (;;) {
      const chunk = request.read() as Buffer | null;
      if (chunk === null) return ok(wholeOf(chunks));
      chunks.push(chunk);
    }
  }
  // Leaving the loop must not destroy the socket: the answer has yet to go out on it.
  const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) return fail({ code: "request.too_large" });
    chunks.push(chunk);
  }
  return ok(wholeOf(chunks));
}

function wholeOf(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
}

/** Postgres stores no NUL and no half of a surrogate pair, though JSON can spell both. */
function requireStorable(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (value.includes("\0") || !value.isWellFormed()) throw new Error("text that cannot be stored");
  return value;
}

function parseJson(bytes: Buffer): Result<unknown, Failure<"request.invalid">> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return ok(JSON.parse(text, (_key, value: unknown) => requireStorable(value)));
  } catch {
    return fail({ code: "request.invalid", detail: "The body is not valid JSON." });
  }
}
