/**
 * Finds members of a JSON document in its bytes, without building values.
 *
 * The structure of the whole document is checked; strings are jumped over, so the cost follows the
 * number of tokens more than the number of bytes. What is relayed stays the caller's own bytes:
 * `findMember` says where a value is, `replaceSlice` puts another one there.
 *
 * As JSON.parse, the last of several members with one name wins. Unlike JSON.parse:
 * - control characters, wrong escapes and wrong UTF-8 inside strings pass (the provider judges them);
 * - nesting deeper than JSON_DEPTH_MAX is malformed, so that no document can exhaust the stack.
 * A byte order mark, and anything but white space after the value, is malformed for both.
 */
import { fail, ok, type Result } from "@atelier/base/result";

/** A guess: deeper than any request seen, shallow enough for recursion. */
export const JSON_DEPTH_MAX = 512;

/** Bytes from `start` up to, not including, `end`. */
export type Slice = { readonly start: number; readonly end: number };

/** Where a member's value is. For a non-empty array, where its last element is, too. */
export type JsonMember = Slice & { readonly lastElement: Slice | null };

export type JsonMistake = {
  readonly kind: "empty" | "malformed" | "not_an_object";
  /** The first byte that does not fit. */
  readonly offset: number;
};

/** The named members of the document, which is one object. Absent members are absent in the map. */
export function scanDocument(
  body: Uint8Array,
  names: readonly string[],
): Result<ReadonlyMap<string, JsonMember>, JsonMistake> {
  const walker = new Walker(body);
  const start = walker.skipWhiteSpace(0);
  if (start === body.length) return fail({ kind: "empty", offset: start });
  const found = new Map<string, JsonMember>();
  const isObject = body[start] === OPEN_BRACE;
  const end = isObject ? walker.objectEnd(start, 1, { names, found }) : walker.valueEnd(start, 1);
  if (end === MALFORMED) return fail({ kind: "malformed", offset: walker.mistakeAt });
  const rest = walker.skipWhiteSpace(end);
  if (rest !== body.length) return fail({ kind: "malformed", offset: rest });
  return isObject ? ok(found) : fail({ kind: "not_an_object", offset: start });
}

/** The named members of the object at `slice`; empty when something else is there. */
export function readMembers(
  body: Uint8Array,
  slice: Slice,
  names: readonly string[],
): ReadonlyMap<string, JsonMember> {
  const found = new Map<string, JsonMember>();
  if (body[slice.start] !== OPEN_BRACE) return found;
  const end = new Walker(body).objectEnd(slice.start, 1, { names, found });
  return end === MALFORMED ? new Map() : found;
}

/** The elements of the array at `slice`; empty when something else is there. */
export function listElements(body: Uint8Array, slice: Slice): readonly Slice[] {
  if (body[slice.start] !== OPEN_BRACKET) return [];
  const walker = new Walker(body);
  const elements: Slice[] = [];
  let at = walker.skipWhiteSpace(slice.start + 1);
  while (at < slice.end && body[at] !== CLOSE_BRACKET) {
    const end = walker.valueEnd(at, 2);
    if (end === MALFORMED) return [];
    elements.push({ start: at, end });
    at = walker.skipWhiteSpace(end);
    if (body[at] === COMMA) at = walker.skipWhiteSpace(at + 1);
  }
  return elements;
}

/** A member with its name as it is read; null for a name with wrong escapes. */
export type NamedMember = {
  readonly name: string | null;
  readonly key: Slice;
  readonly value: Slice;
};

/** All members of the object at `slice`, in their order; empty when something else is there. */
export function listMembers(body: Uint8Array, slice: Slice): readonly NamedMember[] {
  if (body[slice.start] !== OPEN_BRACE) return [];
  const walker = new Walker(body);
  const members: NamedMember[] = [];
  let at = walker.skipWhiteSpace(slice.start + 1);
  while (at < slice.end && body[at] === QUOTE) {
    const key = { start: at, end: walker.valueEnd(at, 2) };
    if (key.end === MALFORMED) return [];
    const start = walker.skipWhiteSpace(walker.skipWhiteSpace(key.end) + 1);
    const value = { start, end: walker.valueEnd(start, 2) };
    if (value.end === MALFORMED) return [];
    members.push({ name: readText(body, key), key, value });
    at = walker.skipWhiteSpace(value.end);
    if (body[at] === COMMA) at = walker.skipWhiteSpace(at + 1);
  }
  return members;
}

/** The raw value at `path` (member names; array positions, -1 is the last), or null without one. */
export function findMember(body: Uint8Array, path: readonly (string | number)[]): Slice | null {
  const walker = new Walker(body);
  const start = walker.skipWhiteSpace(0);
  const end = walker.valueEnd(start, 1);
  if (end === MALFORMED || walker.skipWhiteSpace(end) !== body.length) return null;
  let slice: Slice | undefined = { start, end };
  for (const step of path) {
    slice =
      typeof step === "string"
        ? readMembers(body, slice, [step]).get(step)
        : listElements(body, slice).at(step);
    if (slice === undefined) return null;
  }
  return { start: slice.start, end: slice.end };
}

/** A copy of `body` with other bytes in place of `slice`. Everything else stays byte for byte. */
export function replaceSlice(body: Uint8Array, slice: Slice, replacement: Uint8Array): Uint8Array {
  const changed = new Uint8Array(body.length - (slice.end - slice.start) + replacement.length);
  changed.set(body.subarray(0, slice.start), 0);
  changed.set(replacement, slice.start);
  changed.set(body.subarray(slice.end), slice.start + replacement.length);
  return changed;
}

/** The text of the string at `slice`; null for other values, and for strings with wrong escapes. */
export function readText(body: Uint8Array, slice: Slice | undefined): string | null {
  if (slice === undefined || body[slice.start] !== QUOTE) return null;
  const plain = readPlainText(body, slice.start + 1, slice.end - 1);
  if (plain !== null) return plain;
  const content = body.subarray(slice.start + 1, slice.end - 1);
  // Wrong UTF-8 becomes U+FFFD: this text is for records, the relayed bytes stay as they are.
  const text = UTF8.decode(content);
  if (!text.includes("\\")) return text;
  try {
    return JSON.parse(`"${text}"`) as string; // A JSON string parses to a string.
  } catch {
    return null;
  }
}

/** A short text of plain ASCII: names, roles, types. A decoder costs more than all of its characters. */
function readPlainText(body: Uint8Array, start: number, end: number): string | null {
  if (PLAIN_TEXT_BYTES_MAX < end - start) return null;
  let text = "";
  for (let at = start; at < end; at += 1) {
    const byte = body[at] ?? 0;
    if (0x7f < byte || byte === BACKSLASH) return null;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Whether `key`, a string of the document without its quotes, is this name, however it is spelled. */
export function isNamed(body: Uint8Array, key: Slice, name: string): boolean {
  const length = key.end - key.start;
  if (length < name.length || name.length * ESCAPED_LENGTH_FACTOR < length) return false;
  if (length === name.length) {
    for (let i = 0; i < length; i += 1) {
      if (body[key.start + i] !== name.charCodeAt(i)) return false;
    }
    return true;
  }
  // Only escapes make a name longer than it is.
  if (!hasBackslash(body, key)) return false;
  return readText(body, { start: key.start - 1, end: key.end + 1 }) === name;
}

function hasBackslash(body: Uint8Array, { start, end }: Slice): boolean {
  for (let at = start; at < end; at += 1) if (body[at] === BACKSLASH) return true;
  return false;
}

export function isTrue(body: Uint8Array, slice: Slice | undefined): boolean {
  return slice !== undefined && body[slice.start] === LOWER_T;
}

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const MALFORMED = -1;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_T = 0x74;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const TRUE = [0x74, 0x72, 0x75, 0x65];
const FALSE = [0x66, 0x61, 0x6c, 0x73, 0x65];
const NULL = [0x6e, 0x75, 0x6c, 0x6c];
const PLAIN_TEXT_BYTES_MAX = 24;
/** So far a loop over bytes; a native search beyond. Quotes lie closer than this in code and prose. */
const STRING_LOOP_BYTES = 128;
/** `A` may be written as `\u0041`: no escape makes a name longer than six times its length. */
const ESCAPED_LENGTH_FACTOR = 6;

type Wanted = { readonly names: readonly string[]; readonly found: Map<string, JsonMember> };

/** Each `…End` method takes the position of a value and answers the one after it, or MALFORMED. */
class Walker {
  readonly #bytes: Uint8Array;
  mistakeAt = 0;
  /** Of the array that ended last. An array ends after its elements, so nesting does no harm. */
  #lastElementStart = 0;
  #lastElementEnd = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  skipWhiteSpace(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    for (;;) {
      const byte = bytes[at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
      at += 1;
    }
  }

  valueEnd(at: number, depth: number): number {
    const byte = this.#bytes[at];
    switch (byte) {
      case QUOTE:
        return this.#stringEnd(at);
      case OPEN_BRACE:
        return this.objectEnd(at, depth, null);
      case OPEN_BRACKET:
        return this.#arrayEnd(at, depth);
      case LOWER_T:
        return this.#wordEnd(at, TRUE);
      case LOWER_F:
        return this.#wordEnd(at, FALSE);
      case LOWER_N:
        return this.#wordEnd(at, NULL);
      case undefined:
      default:
        return this.#numberEnd(at);
    }
  }

  objectEnd(open: number, depth: number, wanted: Wanted | null): number {
    if (JSON_DEPTH_MAX < depth) return this.#malformed(open);
    const bytes = this.#bytes;
    let at = this.skipWhiteSpace(open + 1);
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    for (;;) {
      if (bytes[at] !== QUOTE) return this.#malformed(at);
      const keyStart = at + 1;
      const keyEnd = this.#stringEnd(at);
      if (keyEnd === MALFORMED) return MALFORMED;
      at = this.skipWhiteSpace(keyEnd);
      if (bytes[at] !== COLON) return this.#malformed(at);
      const start = this.skipWhiteSpace(at + 1);
      const end = this.valueEnd(start, depth + 1);
      if (end === MALFORMED) return MALFORMED;
      if (wanted !== null) this.#keep(wanted, { start: keyStart, end: keyEnd - 1 }, { start, end });
      at = this.skipWhiteSpace(end);
      if (bytes[at] === CLOSE_BRACE) return at + 1;
      if (bytes[at] !== COMMA) return this.#malformed(at);
      at = this.skipWhiteSpace(at + 1);
    }
  }

  #arrayEnd(open: number, depth: number): number {
    if (JSON_DEPTH_MAX < depth) return this.#malformed(open);
    const bytes = this.#bytes;
    let at = this.skipWhiteSpace(open + 1);
    if (bytes[at] === CLOSE_BRACKET) {
      this.#lastElementStart = this.#lastElementEnd = at;
      return at + 1;
    }
    for (;;) {
      const end = this.valueEnd(at, depth + 1);
      if (end === MALFORMED) return MALFORMED;
      const next = this.skipWhiteSpace(end);
      if (bytes[next] === CLOSE_BRACKET) {
        this.#lastElementStart = at;
        this.#lastElementEnd = end;
        return next + 1;
      }
      if (bytes[next] !== COMMA) return this.#malformed(next);
      at = this.skipWhiteSpace(next + 1);
    }
  }

  #stringEnd(quote: number): number {
    const bytes = this.#bytes;
    let at = quote + 1;
    for (;;) {
      const loopEnd = Math.min(at + STRING_LOOP_BYTES, bytes.length);
      while (at < loopEnd) {
        const byte = bytes[at];
        if (byte === QUOTE) return at + 1;
        at += byte === BACKSLASH ? 2 : 1;
      }
      const found = bytes.indexOf(QUOTE, at);
      if (found === -1) return this.#malformed(bytes.length);
      // A quote after an odd number of backslashes is escaped. None before `at` belongs to it.
      let backslashesFrom = found;
      while (at < backslashesFrom && bytes[backslashesFrom - 1] === BACKSLASH) backslashesFrom -= 1;
      if ((found - backslashesFrom) % 2 === 0) return found + 1;
      at = found + 1;
    }
  }

  #numberEnd(start: number): number {
    let at = this.#bytes[start] === MINUS ? start + 1 : start;
    // A number starts with one zero or with another digit.
    if (this.#bytes[at] === ZERO) at += 1;
    else {
      at = this.#digitsEnd(at);
      if (at === MALFORMED) return MALFORMED;
    }
    if (this.#bytes[at] === POINT) {
      at = this.#digitsEnd(at + 1);
      if (at === MALFORMED) return MALFORMED;
    }
    const byte = this.#bytes[at];
    if (byte !== 0x65 && byte !== 0x45) return at;
    const sign = this.#bytes[at + 1];
    return this.#digitsEnd(sign === PLUS || sign === MINUS ? at + 2 : at + 1);
  }

  #digitsEnd(start: number): number {
    let at = start;
    for (;;) {
      const byte = this.#bytes[at];
      if (byte === undefined || byte < ZERO || NINE < byte) break;
      at += 1;
    }
    return at === start ? this.#malformed(at) : at;
  }

  #wordEnd(start: number, word: readonly number[]): number {
    for (let i = 1; i < word.length; i += 1) {
      if (this.#bytes[start + i] !== word[i]) return this.#malformed(start + i);
    }
    return start + word.length;
  }

  #keep({ names, found }: Wanted, key: Slice, value: Slice): void {
    const name = names.find((each) => isNamed(this.#bytes, key, each));
    if (name === undefined) return;
    const isArray = this.#bytes[value.start] === OPEN_BRACKET;
    const start = this.#lastElementStart;
    const end = this.#lastElementEnd;
    const lastElement = isArray && start < end ? { start, end } : null;
    found.set(name, { start: value.start, end: value.end, lastElement });
  }

  #malformed(at: number): number {
    this.mistakeAt = Math.min(at, this.#bytes.length);
    return MALFORMED;
  }
}
