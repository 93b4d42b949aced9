/**
 * scanDocument for a document that came in pieces: the same answers, whatever lies across their
 * borders, and no copy of the document.
 *
 * Strings are most of a large request: the ends of long ones are found by a search that looks at many bytes at once.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { BytePieces } from "./byte-pieces.ts";
import { isNamed, JSON_DEPTH_MAX, type JsonMember, type JsonMistake } from "./json-scanner.ts";
import { SHOWN_BYTES_MAX, STRING_ENDS, type StringEnds } from "./string-ends.ts";

/** `ends` null: the host has no search for them, and every byte is looked at alone. */
export function scanPieces(
  body: BytePieces,
  names: readonly string[],
  ends: StringEnds | null = STRING_ENDS,
): Result<ReadonlyMap<string, JsonMember>, JsonMistake> {
  return new PieceScanner(body, names, ends).scan();
}

/** What comes next. */
const VALUE = 0;
const FIRST_ELEMENT = 1;
const FIRST_KEY = 2;
const KEY = 3;
const COLON = 4;
const COMMA_OR_END = 5;
const NOTHING = 6;
const REST_OF_STRING = 7;
const REST_OF_NUMBER = 8;
const REST_OF_WORD = 9;

/** Where in a number it stands. In the first four it cannot end. */
const AFTER_MINUS = 0;
const AFTER_POINT = 1;
const AFTER_E = 2;
const AFTER_SIGN = 3;
const AFTER_ZERO = 4;
const IN_INTEGER = 5;
const IN_FRACTION = 6;
const IN_EXPONENT = 7;
const NUMBER_UNFINISHED_MAX = AFTER_SIGN;

/** What is open. */
const OBJECT = 1;
const ARRAY = 2;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON_MARK = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const WORDS: ReadonlyMap<number, string> = new Map([
  [0x74, "true"],
  [0x66, "false"],
  [0x6e, "null"],
]);
/** So far a loop over bytes: most strings are names and short values. */
const STRING_LOOP_BYTES = 32;
class PieceScanner {
  readonly #body: BytePieces;
  readonly #names: readonly string[];
  readonly #ends: StringEnds | null;
  readonly #found = new Map<string, JsonMember>();
  #state = VALUE;
  /** The outermost at 1. */
  readonly #open: number[] = [];
  #depth = 0;
  /** Where the current window begins in the document. */
  #base = 0;
  /** Whether the search knows the current window. */
  #isShown = false;
  #mistakeAt = -1;
  #rootStart = -1;
  #isEscaped = false;
  #isKey = false;
  #number = AFTER_MINUS;
  #word = "";
  #wordAt = 0;
  /** Of the outermost object's current member, and of its value's elements. */
  #keyStart = 0;
  #keyEnd = 0;
  #valueStart = 0;
  #isArray = false;
  #elementStart = 0;
  #lastStart = 0;
  #lastEnd = 0;

  constructor(body: BytePieces, names: readonly string[], ends: StringEnds | null) {
    this.#body = body;
    this.#names = names;
    this.#ends = ends;
  }

  scan(): Result<ReadonlyMap<string, JsonMember>, JsonMistake> {
    for (const piece of this.#body.pieces) {
      for (let from = 0; from < piece.length && this.#mistakeAt === -1; from += SHOWN_BYTES_MAX) {
        const isWhole = piece.length <= SHOWN_BYTES_MAX;
        this.#read(isWhole ? piece : piece.subarray(from, from + SHOWN_BYTES_MAX));
      }
    }
    if (this.#mistakeAt === -1) this.#finish();
    if (this.#rootStart === -1) return fail({ kind: "empty", offset: this.#base });
    if (this.#mistakeAt !== -1) return fail({ kind: "malformed", offset: this.#mistakeAt });
    const isObject = this.#open[1] === OBJECT;
    return isObject ? ok(this.#found) : fail({ kind: "not_an_object", offset: this.#rootStart });
  }

  #finish(): void {
    const isNumber = this.#state === REST_OF_NUMBER && this.#depth === 0;
    if (isNumber && NUMBER_UNFINISHED_MAX < this.#number) this.#endValue(0);
    if (this.#state !== NOTHING) this.#mistakeAt = this.#base;
  }

  #read(window: Uint8Array): void {
    this.#isShown = false;
    let at = 0;
    while (at < window.length && this.#mistakeAt === -1) at = this.#step(window, at);
    this.#base += window.length;
  }

  /** Each of these answers where the next one begins. */
  #step(window: Uint8Array, at: number): number {
    switch (this.#state) {
      case REST_OF_STRING:
        return this.#readString(window, at);
      case REST_OF_NUMBER:
        return this.#readNumber(window, at);
      case REST_OF_WORD:
        return this.#readWord(window, at);
      default: {
        const byte = window[at] ?? 0;
        const isBlank = byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
        return isBlank ? at + 1 : this.#readMark(byte, at);
      }
    }
  }

  #readMark(byte: number, at: number): number {
    switch (this.#state) {
      case FIRST_ELEMENT:
        return byte === CLOSE_BRACKET ? this.#close(at) : this.#beginValue(byte, at);
      case VALUE:
        return this.#beginValue(byte, at);
      case FIRST_KEY:
        return byte === CLOSE_BRACE ? this.#close(at) : this.#beginKey(byte, at);
      case KEY:
        return this.#beginKey(byte, at);
      case COLON:
        if (byte !== COLON_MARK) return this.#refuse(at);
        this.#state = VALUE;
        return at + 1;
      case COMMA_OR_END: {
        const isObject = this.#open[this.#depth] === OBJECT;
        if (byte === (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) return this.#close(at);
        if (byte !== COMMA) return this.#refuse(at);
        this.#state = isObject ? KEY : VALUE;
        return at + 1;
      }
      default:
        return this.#refuse(at);
    }
  }

  #beginKey(byte: number, at: number): number {
    if (byte !== QUOTE) return this.#refuse(at);
    this.#isKey = true;
    if (this.#depth === 1) this.#keyStart = this.#base + at + 1;
    this.#state = REST_OF_STRING;
    return at + 1;
  }

  #beginValue(byte: number, at: number): number {
    const start = this.#base + at;
    if (this.#depth === 0) this.#rootStart = start;
    else if (this.#depth === 1) {
      this.#valueStart = start;
      this.#isArray = byte === OPEN_BRACKET;
      this.#lastStart = this.#lastEnd = 0;
    } else if (this.#depth === 2) this.#elementStart = start;
    switch (byte) {
      case QUOTE:
        this.#isKey = false;
        this.#state = REST_OF_STRING;
        return at + 1;
      case OPEN_BRACE:
        return this.#openOne(OBJECT, at);
      case OPEN_BRACKET:
        return this.#openOne(ARRAY, at);
      default:
        return this.#beginWordOrNumber(byte, at);
    }
  }

  #beginWordOrNumber(byte: number, at: number): number {
    const word = WORDS.get(byte);
    if (word !== undefined) {
      this.#word = word;
      this.#wordAt = 1;
      this.#state = REST_OF_WORD;
      return at + 1;
    }
    if (byte === MINUS) this.#number = AFTER_MINUS;
    else if (byte === ZERO) this.#number = AFTER_ZERO;
    else if (isDigit(byte)) this.#number = IN_INTEGER;
    else return this.#refuse(at);
    this.#state = REST_OF_NUMBER;
    return at + 1;
  }

  #openOne(kind: number, at: number): number {
    if (this.#depth === JSON_DEPTH_MAX) return this.#refuse(at);
    this.#depth += 1;
    this.#open[this.#depth] = kind;
    this.#state = kind === OBJECT ? FIRST_KEY : FIRST_ELEMENT;
    return at + 1;
  }

  #close(at: number): number {
    this.#depth -= 1;
    return this.#endValue(at + 1);
  }

  #endValue(end: number): number {
    if (this.#depth === 0) {
      this.#state = NOTHING;
      return end;
    }
    this.#state = COMMA_OR_END;
    if (this.#depth === 1) this.#keep(this.#base + end);
    else if (this.#depth === 2 && this.#open[2] === ARRAY) {
      this.#lastStart = this.#elementStart;
      this.#lastEnd = this.#base + end;
    }
    return end;
  }

  #keep(end: number): void {
    if (this.#open[1] !== OBJECT || this.#names.length === 0) return;
    const name = this.#nameOfKey();
    if (name === null) return;
    const hasLast = this.#isArray && this.#lastStart < this.#lastEnd;
    const lastElement = hasLast ? { start: this.#lastStart, end: this.#lastEnd } : null;
    this.#found.set(name, { start: this.#valueStart, end, lastElement });
  }

  /** Null: none of those that are looked for. */
  #nameOfKey(): string | null {
    const [only] = this.#body.pieces;
    const isWhole = only !== undefined && this.#body.pieces.length === 1;
    const start = isWhole ? this.#keyStart : 1;
    const bytes = isWhole ? only : this.#body.slice(this.#keyStart - 1, this.#keyEnd + 1);
    const key = { start, end: start + this.#keyEnd - this.#keyStart };
    for (const name of this.#names) if (isNamed(bytes, key, name)) return name;
    return null;
  }

  #readString(window: Uint8Array, from: number): number {
    let at = from;
    if (this.#isEscaped) {
      this.#isEscaped = false;
      at += 1;
    }
    const ends = this.#ends;
    const isSearched = ends !== null && at + STRING_LOOP_BYTES < window.length;
    const loopEnd = isSearched ? at + STRING_LOOP_BYTES : window.length;
    while (at < loopEnd) {
      const byte = window[at];
      if (byte === QUOTE) return this.#endString(at + 1);
      at += byte === BACKSLASH ? 2 : 1;
    }
    if (isSearched && at < window.length) return this.#searchString(ends, window, at);
    this.#isEscaped = window.length < at;
    return window.length;
  }

  /** No backslash before `from` belongs to what follows. */
  #searchString(ends: StringEnds, window: Uint8Array, from: number): number {
    if (!this.#isShown) ends.show(window);
    this.#isShown = true;
    const end = ends.next(from);
    if (end < window.length) return this.#endString(end + 1);
    this.#isEscaped = window.length < end;
    return window.length;
  }

  #endString(end: number): number {
    if (!this.#isKey) return this.#endValue(end);
    if (this.#depth === 1) this.#keyEnd = this.#base + end - 1;
    this.#state = COLON;
    return end;
  }

  #readWord(window: Uint8Array, at: number): number {
    if (window[at] !== this.#word.charCodeAt(this.#wordAt)) return this.#refuse(at);
    this.#wordAt += 1;
    return this.#wordAt === this.#word.length ? this.#endValue(at + 1) : at + 1;
  }

  #readNumber(window: Uint8Array, at: number): number {
    const next = nextInNumber(this.#number, window[at] ?? 0);
    if (next === null) {
      return this.#number <= NUMBER_UNFINISHED_MAX ? this.#refuse(at) : this.#endValue(at);
    }
    this.#number = next;
    return at + 1;
  }

  #refuse(at: number): number {
    this.#mistakeAt = this.#base + at;
    return at;
  }
}

/** Null: the byte does not go on with it. */
function nextInNumber(state: number, byte: number): number | null {
  if (isDigit(byte)) {
    switch (state) {
      case AFTER_MINUS:
        return byte === ZERO ? AFTER_ZERO : IN_INTEGER;
      case AFTER_ZERO:
        return null;
      case AFTER_POINT:
      case IN_FRACTION:
        return IN_FRACTION;
      case AFTER_E:
      case AFTER_SIGN:
      case IN_EXPONENT:
        return IN_EXPONENT;
      default:
        return IN_INTEGER;
    }
  }
  const isInteger = state === AFTER_ZERO || state === IN_INTEGER;
  if (byte === 0x2e) return isInteger ? AFTER_POINT : null;
  if (byte === 0x65 || byte === 0x45) return isInteger || state === IN_FRACTION ? AFTER_E : null;
  if (byte === 0x2b || byte === MINUS) return state === AFTER_E ? AFTER_SIGN : null;
  return null;
}

function isDigit(byte: number): boolean {
  return ZERO <= byte && byte <= NINE;
}
