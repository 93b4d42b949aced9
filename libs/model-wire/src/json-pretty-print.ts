/**
 * A JSON document with line breaks and indents, for people. Members keep their order, and names,
 * strings and numbers their bytes: parsing and writing them again would lose big numbers and repeats.
 *
 * It comes in small pieces, so that a large document can be written without another copy of it.
 */
import { scanDocument } from "./json-scanner.ts";

/** Containers deeper than this are written on one line: indents would outgrow the document. */
const INDENTED_DEPTH_MAX = 32;
const PIECE_BYTES = 64 * 1024;
const STRING_PIECE_BYTES = 4 * 1024;
/** A piece of a string, or a few bytes with a line break. */
const STEP_BYTES_MAX = STRING_PIECE_BYTES + 4 * INDENTED_DEPTH_MAX;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;
const NEWLINE = 0x0a;

/** Whether it can be printed prettily: what JSON.parse takes, as far as the scanner tells. */
export function isJsonDocument(body: Uint8Array): boolean {
  const scanned = scanDocument(body, []);
  return scanned.ok || scanned.failure.kind === "not_an_object";
}

/** Pieces of the pretty form of `body`, which is a JSON document. */
export function* prettyJson(body: Uint8Array): Generator<Uint8Array> {
  const out = new Piece();
  let depth = 0;
  let at = 0;
  while (at < body.length) {
    if (out.isNearlyFull) yield out.take();
    const byte = body[at] ?? 0;
    if (byte === QUOTE) {
      const end = stringEnd(body, at);
      for (let from = at; from < end; from += STRING_PIECE_BYTES) {
        if (out.isNearlyFull) yield out.take();
        out.push(body.subarray(from, Math.min(end, from + STRING_PIECE_BYTES)));
      }
      at = end;
      continue;
    }
    at += 1;
    if (isWhiteSpace(byte)) continue;
    if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth < INDENTED_DEPTH_MAX) out.lineBreak(depth);
    }
    out.pushByte(byte);
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const next = nextToken(body, at);
      const close = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
      if (body[next] === close) {
        // Empty: the two stay together.
        out.pushByte(close);
        at = next + 1;
      } else {
        depth += 1;
        if (depth <= INDENTED_DEPTH_MAX) out.lineBreak(depth);
      }
    } else if (byte === COMMA && depth <= INDENTED_DEPTH_MAX) {
      out.lineBreak(depth);
    } else if (byte === COLON) {
      out.pushByte(SPACE);
    }
  }
  yield out.take();
}

class Piece {
  #bytes = new Uint8Array(PIECE_BYTES);
  #length = 0;

  /** Less room than what one step may push. */
  get isNearlyFull(): boolean {
    return this.#length > PIECE_BYTES - STEP_BYTES_MAX;
  }

  push(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  pushByte(byte: number): void {
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  lineBreak(depth: number): void {
    this.pushByte(NEWLINE);
    this.#bytes.fill(SPACE, this.#length, this.#length + 2 * depth);
    this.#length += 2 * depth;
  }

  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(PIECE_BYTES);
    this.#length = 0;
    return taken;
  }
}

function stringEnd(body: Uint8Array, quote: number): number {
  let at = quote + 1;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return Math.min(at + 1, body.length);
}

function nextToken(body: Uint8Array, from: number): number {
  let at = from;
  while (at < body.length && isWhiteSpace(body[at] ?? 0)) at += 1;
  return at;
}

function isWhiteSpace(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === 0x0d || byte === 0x09;
}
