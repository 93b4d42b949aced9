/**
 * The dump of a request: its head with credentials masked, and its body in a readable form. It is
 * written piece by piece while the disk keeps up, because a body may have 32 MiB.
 */
import { isJsonDocument, prettyJson } from "@atelier/model-wire/json-pretty-print";
import { wholeBody, type UpstreamCall } from "../upstream/upstream-client.ts";
import type { DumpFile } from "./dump-files-io.ts";
import { redactTarget, requestHeaderLines, type HeaderLine } from "./dump-redaction.ts";
import { SecretFilter, withoutSecrets } from "./secret-filter.ts";

/** A pretty body may be so many times the body; past that, its nesting is somebody's joke. */
const GROWTH_MAX = 4;
const GROWTH_BYTES_MIN = 64 * 1024;
/** Pieces that are looked at before others in this process have a turn. */
const PIECES_AT_ONCE = 16;

const NO_ROOM_NOTE = Buffer.from("[body not written: the disk is slower than the traffic]");

/** Resolves when everything is handed to the file, and ends it. */
export async function dumpRequest(
  file: DumpFile,
  call: UpstreamCall,
  secrets: readonly string[],
): Promise<void> {
  const hasRoom = call.body === null || file.keep(call.body.byteLength);
  const sent = !hasRoom ? NO_ROOM_NOTE : call.body === null ? null : wholeBody(call.body);
  const body = sent === null ? null : await readableBody(sent, secrets);
  const lines = requestHeaderLines(
    body === null ? call.headers : [...call.headers, "Content-Length", String(body.length)],
  );
  file.write(headBytes(`${call.method} ${redactTarget(call.path)} HTTP/1.1`, lines, secrets));
  for (const piece of body?.pieces() ?? []) {
    file.write(piece);
    await file.flushed();
  }
  file.write(Buffer.from("\n"));
  file.end();
}

/** First line and headers, up to and with the empty line. */
export function headBytes(
  firstLine: string,
  lines: readonly HeaderLine[],
  secrets: readonly string[],
): Uint8Array {
  const text = [firstLine, ...lines.map(([name, value]) => `${name}: ${value}`), "", ""];
  return Buffer.from(withoutSecrets(text.join("\r\n"), secrets), "latin1");
}

type ReadableBody = { readonly length: number; pieces(): Iterable<Uint8Array> };

/** Pretty where it is JSON, else as it is. */
async function readableBody(body: Uint8Array, secrets: readonly string[]): Promise<ReadableBody> {
  const raw = (): Iterable<Uint8Array> => filtered(slicesOf(body), secrets);
  const pretty = (): Iterable<Uint8Array> => filtered(prettyJson(body), secrets);
  const lengthMax = Math.max(GROWTH_BYTES_MIN, GROWTH_MAX * body.length);
  const length = isJsonDocument(body) ? await lengthOf(pretty(), lengthMax) : null;
  if (length !== null) return { length, pieces: pretty };
  return { length: (await lengthOf(raw(), Infinity)) ?? body.length, pieces: raw };
}

/** Null: it is longer. */
async function lengthOf(pieces: Iterable<Uint8Array>, lengthMax: number): Promise<number | null> {
  let length = 0;
  let seen = 0;
  for (const piece of pieces) {
    length += piece.length;
    if (length > lengthMax) return null;
    seen += 1;
    if (seen % PIECES_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return length;
}

function* filtered(
  pieces: Iterable<Uint8Array>,
  secrets: readonly string[],
): Generator<Uint8Array> {
  const filter = new SecretFilter(secrets);
  for (const piece of pieces) yield filter.push(piece);
  yield filter.end();
}

const SLICE_BYTES = 64 * 1024;

function* slicesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += SLICE_BYTES) yield body.subarray(at, at + SLICE_BYTES);
}
