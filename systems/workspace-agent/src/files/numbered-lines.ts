/**
 * Picks numbered lines out of a file's bytes as they come, within the limits of one answer (contract,
 * workspace/files), and says what it left out. Memory does not grow with the file.
 */
import {
  READ_ANSWER_BYTES_MAX,
  READ_COUNTED_BYTES_MAX,
  READ_LINE_BYTES_MAX,
} from "@atelier/contract/rpc/workspace/files";
import { isUtf8 } from "node:buffer";

export type LinesWanted = { readonly fromLine: number; readonly lines: number };

export type LinesRead = {
  readonly content: string;
  readonly linesRead: number;
  readonly totalLines: number | null;
  readonly note: string;
};

/** A NUL this early marks a binary file. */
const PROBED_BYTES = 8 * 1024;
const NAMED_CUT_LINES_MAX = 5;

export class NumberedLines {
  readonly #wanted: LinesWanted;
  #content = "";
  #contentBytes = 0;
  #linesRead = 0;
  /** Lines that have ended so far. */
  #linesEnded = 0;
  /** The start of the current line, as much as may be shown of it, and its whole length. */
  #line: Buffer[] = [];
  #lineBytes = 0;
  #probedBytes = 0;
  #uncountedBytes = 0;
  #isBinary = false;
  #isFull = false;
  #isCounted = true;
  #hasBadText = false;
  #hasCrlf = false;
  readonly #cutLines: number[] = [];

  constructor(wanted: LinesWanted) {
    this.#wanted = wanted;
  }

  /** False: more bytes would not change the answer. */
  push(bytes: Buffer): boolean {
    if (this.#probedBytes < PROBED_BYTES) {
      const probe = bytes.subarray(0, PROBED_BYTES - this.#probedBytes);
      this.#probedBytes += probe.byteLength;
      if (probe.includes(0)) this.#isBinary = true;
    }
    if (this.#isBinary) return false;
    // A line may be without end, too.
    const isBehind = this.#isDone() || this.#lineBytes > READ_LINE_BYTES_MAX;
    if (isBehind) this.#uncountedBytes += bytes.byteLength;
    if (this.#uncountedBytes > READ_COUNTED_BYTES_MAX) this.#isCounted = false;
    if (!this.#isCounted) return false;
    let at = 0;
    for (;;) {
      const newline = bytes.indexOf(0x0a, at);
      if (newline === -1) break;
      this.#takePart(bytes.subarray(at, newline));
      this.#endLine();
      at = newline + 1;
    }
    this.#takePart(bytes.subarray(at));
    return true;
  }

  /** After the last bytes. */
  end(fileSize: number): LinesRead {
    if (this.#isBinary) {
      const note = `The file is binary (${fileSize} bytes) and has no lines: read its bytes.`;
      return { content: "", linesRead: 0, totalLines: 0, note };
    }
    if (this.#lineBytes > 0) {
      if (this.#isCounted) this.#endLine();
      else if (this.#isShown()) this.#showLine();
    }
    return {
      content: this.#content,
      linesRead: this.#linesRead,
      totalLines: this.#isCounted ? this.#linesEnded : null,
      note: this.#notes().join(" "),
    };
  }

  /** Nothing will be shown any more. */
  #isDone(): boolean {
    const { fromLine, lines } = this.#wanted;
    return this.#isFull || this.#linesEnded >= fromLine + lines - 1;
  }

  #isShown(): boolean {
    return this.#linesEnded + 1 >= this.#wanted.fromLine && !this.#isDone();
  }

  #takePart(part: Buffer): void {
    if (part.byteLength > 0 && this.#lineBytes < READ_LINE_BYTES_MAX && this.#isShown()) {
      // Copied: the reader may use the chunk again. One byte more shows where a character is cut.
      const left = READ_LINE_BYTES_MAX + 1 - this.#lineBytes;
      this.#line.push(Buffer.from(part.subarray(0, left)));
    }
    this.#lineBytes += part.byteLength;
  }

  #endLine(): void {
    if (this.#isShown()) this.#showLine();
    this.#linesEnded += 1;
    this.#line = [];
    this.#lineBytes = 0;
  }

  #showLine(): void {
    const number = this.#linesEnded + 1;
    let start: Buffer = Buffer.concat(this.#line);
    if (this.#lineBytes > READ_LINE_BYTES_MAX) start = cutCharacters(start, READ_LINE_BYTES_MAX);
    else if (start.at(-1) === 0x0d) {
      start = start.subarray(0, -1);
      this.#hasCrlf = true;
    }
    const isCut = this.#lineBytes > READ_LINE_BYTES_MAX;
    if (!isUtf8(start)) this.#hasBadText = true;
    let text = start.toString("utf8");
    if (number === 1 && text.startsWith("\uFEFF")) text = text.slice(1);
    const cutMark = isCut
      ? ` [cut: the line has ${this.#isCounted ? "" : "more than "}${this.#lineBytes} bytes]`
      : "";
    const shown = `${number}\t${text}${cutMark}\n`;
    const shownBytes = Buffer.byteLength(shown);
    if (this.#contentBytes + shownBytes > READ_ANSWER_BYTES_MAX) {
      this.#isFull = true;
      return;
    }
    if (isCut) this.#cutLines.push(number);
    this.#content += shown;
    this.#contentBytes += shownBytes;
    this.#linesRead += 1;
  }

  #notes(): string[] {
    const { fromLine } = this.#wanted;
    const total = this.#linesEnded;
    const notes: string[] = [];
    if (this.#linesRead === 0 && this.#isCounted) {
      notes.push(
        total === 0
          ? "The file is empty."
          : `The file has ${total} lines: none from ${fromLine} on.`,
      );
    }
    const last = fromLine + this.#linesRead - 1;
    if (this.#linesRead > 0 && (last < total || !this.#isCounted)) {
      const of = this.#isCounted ? `of ${total} ` : "";
      const why = this.#isFull ? " (an answer holds no more)" : "";
      notes.push(`Lines ${fromLine}–${last} ${of}are shown${why}: read on from line ${last + 1}.`);
    }
    if (!this.#isCounted) notes.push("The file is so long that its lines were not counted.");
    if (this.#cutLines.length > 0) notes.push(this.#cutNote());
    if (this.#hasBadText) notes.push("Bytes that are not UTF-8 are shown as \uFFFD.");
    if (this.#hasCrlf) notes.push("Lines end with CRLF.");
    return notes;
  }

  #cutNote(): string {
    const named = this.#cutLines.slice(0, NAMED_CUT_LINES_MAX).join(", ");
    const more = this.#cutLines.length - NAMED_CUT_LINES_MAX;
    const rest = more > 0 ? ` and ${more} more` : "";
    return `Longer than ${READ_LINE_BYTES_MAX} bytes and cut: line ${named}${rest}.`;
  }
}

/** At most so many bytes, and no half character at the end. */
function cutCharacters(bytes: Buffer, max: number): Buffer {
  let end = Math.min(max, bytes.byteLength);
  while (end > 0 && end < bytes.byteLength && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
