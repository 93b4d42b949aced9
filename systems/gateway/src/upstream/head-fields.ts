/**
 * The fields of a message's head as they lie in its text, which was looked at once. Whoever passes a head on
 * takes whole lines of it; names and values become texts of their own only for those who ask for them.
 */

/** Fields of one head. Providers send some 40; node:http stops at 2,000. */
const FIELDS_MAX = 512;
/** Numbers of one field: where its line begins, its name ends, its value begins and ends. */
const MARKS = 4;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const DELETE = 0x7f;

/** What a name may hold, RFC 9110 §5.6.2. A value may hold all that is visible, and blanks (§5.5). */
const IS_TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789") IS_TOKEN[char.charCodeAt(0)] = 1;
for (let i = 0; i < 26; i += 1) IS_TOKEN[0x41 + i] = IS_TOKEN[0x61 + i] = 1;

export class HeadFields {
  /** Each character one byte. */
  readonly text: string;
  readonly #marks: readonly number[];
  #pairs: string[] | null = null;

  private constructor(text: string, marks: readonly number[]) {
    this.text = text;
    this.#marks = marks;
  }

  /**
   * Lines that each end with CR LF, the last one perhaps with the text. Null: a line is no field. They are looked for
   * in the bytes, where the text comes from: a character of a text costs more than twice as much to look at.
   */
  static read(text: string, from: number, bytes = bytesOf(text)): HeadFields | null {
    const marks: number[] = [];
    const { length } = bytes;
    for (let at = from; at < length;) {
      if (marks.length === MARKS * FIELDS_MAX) return null;
      const colon = nameEnd(bytes, at);
      if (colon === at || bytes[colon] !== COLON) return null;
      let valueStart = colon + 1;
      while (isBlank(bytes[valueStart])) valueStart += 1;
      const end = lineEnd(bytes, valueStart);
      const isLast = end === length;
      if (!isLast && (bytes[end] !== CR || bytes[end + 1] !== LF)) return null;
      let valueEnd = end;
      while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd -= 1;
      marks.push(at, colon, valueStart, valueEnd);
      at = isLast ? end : end + 2;
    }
    return new HeadFields(text, marks);
  }

  get count(): number {
    return this.#marks.length / MARKS;
  }

  nameLength(i: number): number {
    return this.#mark(i, 1) - this.#mark(i, 0);
  }

  /** `lowerName` in whatever case. The name is as long. */
  isNamed(i: number, lowerName: string): boolean {
    const start = this.#mark(i, 0);
    for (let at = 0; at < lowerName.length; at += 1) {
      const code = this.text.charCodeAt(start + at);
      const lower = 0x41 <= code && code <= 0x5a ? code | 0x20 : code;
      if (lower !== lowerName.charCodeAt(at)) return false;
    }
    return true;
  }

  /** Without the spaces and tabs around it. */
  value(i: number): string {
    return this.text.slice(this.#mark(i, 2), this.#mark(i, 3));
  }

  /** Where the field's line begins; for the number of fields, where the last one ends. */
  lineStart(i: number): number {
    return i === this.count ? this.text.length : this.#mark(i, 0);
  }

  /** Name, value, name, value … */
  pairs(): readonly string[] {
    if (this.#pairs !== null) return this.#pairs;
    const pairs: string[] = [];
    for (let i = 0; i < this.#marks.length; i += MARKS) {
      const nameStart = this.#marks[i] ?? 0;
      const valueStart = this.#marks[i + 2] ?? 0;
      const name = this.text.slice(nameStart, this.#marks[i + 1]);
      pairs.push(name, this.text.slice(valueStart, this.#marks[i + 3]));
    }
    this.#pairs = pairs;
    return pairs;
  }

  #mark(i: number, which: number): number {
    return this.#marks[MARKS * i + which] ?? 0;
  }
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function nameEnd(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  for (let at = from; at < length; at += 1) if (IS_TOKEN[bytes[at] ?? 0] !== 1) return at;
  return length;
}

/** Where something is that no value may hold. */
function lineEnd(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  for (let at = from; at < length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < SPACE ? byte !== TAB : byte === DELETE) return at;
  }
  return length;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}
