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

/** What each character may be part of. RFC 9110 §5.6.2 and §5.5. */
const TOKEN = 1;
const VISIBLE = 2;
const KINDS = new Uint8Array(256);
for (let code = 0x21; code < 0x100; code += 1) if (code !== 0x7f) KINDS[code] = VISIBLE;
for (const char of "!#$%&'*+-.^_`|~0123456789") KINDS[char.charCodeAt(0)] = TOKEN | VISIBLE;
for (let i = 0; i < 26; i += 1) KINDS[0x41 + i] = KINDS[0x61 + i] = TOKEN | VISIBLE;

export class HeadFields {
  /** Each character one byte. */
  readonly text: string;
  readonly #marks: readonly number[];
  #pairs: string[] | null = null;

  private constructor(text: string, marks: readonly number[]) {
    this.text = text;
    this.#marks = marks;
  }

  /** Lines that each end with CR LF, the last one perhaps with the text. Null: a line is no field. */
  static read(text: string, from: number): HeadFields | null {
    const marks: number[] = [];
    for (let at = from; at < text.length;) {
      if (marks.length === MARKS * FIELDS_MAX) return null;
      const colon = nameEnd(text, at);
      if (colon === at || text.charCodeAt(colon) !== COLON) return null;
      let end = colon + 1;
      let valueStart = -1;
      let valueEnd = end;
      for (; end < text.length; end += 1) {
        const code = text.charCodeAt(end);
        if (((KINDS[code] ?? 0) & VISIBLE) !== 0) {
          if (valueStart === -1) valueStart = end;
          valueEnd = end + 1;
        } else if (code !== SPACE && code !== TAB) break;
      }
      const isLast = end === text.length;
      if (!isLast && (text.charCodeAt(end) !== CR || text.charCodeAt(end + 1) !== LF)) return null;
      marks.push(at, colon, valueStart === -1 ? valueEnd : valueStart, valueEnd);
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

function nameEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && ((KINDS[text.charCodeAt(at)] ?? 0) & TOKEN) !== 0) at += 1;
  return at;
}
