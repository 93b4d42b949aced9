/**
 * Lines of a terminal's buffer as a sequence that writes them into an empty one, cell by cell: empty
 * cells stay empty and are not spaces, and a line that goes on in the next one still does, so that
 * both are one when the size changes.
 */
import type { IBuffer, IBufferCell, IBufferLine, Terminal } from "@xterm/headless";
import {
  areSameAttributes,
  attributeSequence,
  DEFAULT_ATTRIBUTES,
  isPlainBackground,
  linkIdOf,
} from "./attribute-sequence.ts";
import { attributesOf, type CellAttributes } from "./terminal-internals.ts";

export const RESET_ATTRIBUTES = "\x1b[m";

/** A wide character, to be overwritten by halves. */
const WIDE = "\u4e00";

export type LinkOf = (linkId: number) => { readonly id?: string; readonly uri: string } | undefined;

/** Saves the cursor where the line begins, and leaves everything as it was. */
export type SavedCursor = { readonly line: number; readonly sequence: string };

/** The cursor is at the first column of an empty line, and below it are empty lines or none. */
export function linesSequence(
  { rows }: Terminal,
  buffer: IBuffer,
  saved: SavedCursor,
  linkOf: LinkOf,
): string {
  const writer = new LineWriter(linkOf, buffer.getNullCell());
  const parts: string[] = [];
  let isUsed = false;
  for (let y = 0; y < buffer.length; y += 1) {
    const line = buffer.getLine(y);
    if (line === undefined) break;
    const isLast = y + 1 === buffer.length;
    if (y === saved.line || (isLast && saved.line > y)) parts.push(saved.sequence);
    // Writing over the end of a line is all that makes the next one its continuation. It needs a line
    // above to come back to.
    const goesOn = rows > 1 && !isLast && buffer.getLine(y + 1)?.isWrapped === true;
    if (goesOn) parts.push(`\x1b[${line.length}Gxx\x1b[A\r`);
    parts.push(writer.write(line, isUsed || goesOn));
    if (!isLast) parts.push(goesOn ? "\x1b[B\r" : "\r\n");
    isUsed = goesOn;
  }
  return parts.join("");
}

/** The sequence that begins or ends a link. */
export function linkSequence(linkId: number, linkOf: LinkOf): string {
  const link = linkId === 0 ? undefined : linkOf(linkId);
  if (link === undefined) return "\x1b]8;;\x1b\\";
  // Parts of a link without an id belong together all the same.
  return `\x1b]8;id=${link.id ?? `atelier-${linkId}`};${link.uri}\x1b\\`;
}

class LineWriter {
  readonly #linkOf: LinkOf;
  readonly #cell: IBufferCell;
  #set: CellAttributes = DEFAULT_ATTRIBUTES;

  constructor(linkOf: LinkOf, cell: IBufferCell) {
    this.#linkOf = linkOf;
    this.#cell = cell;
  }

  /** `isUsed`: cells that should be empty may hold something. Leaves the attributes reset. */
  write(line: IBufferLine, isUsed: boolean): string {
    const halves = this.#writeHalves(line);
    const mustErase = isUsed || halves !== "";
    let text = halves;
    let empty = 0;
    let emptyAttributes: CellAttributes = DEFAULT_ATTRIBUTES;
    const writeEmpty = (isEnd: boolean): void => {
      if (empty === 0) return;
      if (mustErase || emptyAttributes.bg !== 0) {
        text += `${this.#change(emptyAttributes)}\x1b[${empty}X`;
      }
      if (!isEnd) text += `\x1b[${empty}C`;
      empty = 0;
    };
    let wasWide = false;
    for (let x = 0; x < line.length; x += 1) {
      const cell = this.#read(line, x);
      // Half of a wide character, where the terminal became narrower: nothing shows it.
      const isCut = cell.getWidth() === 2 && x + 1 === line.length;
      const chars = isCut ? "" : cell.getChars();
      const isRightHalf = wasWide && chars === "" && cell.getWidth() === 0;
      wasWide = cell.getWidth() === 2;
      if (isRightHalf) continue;
      const attributes = attributesOf(cell);
      const isHalf = chars === "" && !isPlainBackground(attributes);
      if (chars !== "" || isHalf || attributes.bg !== emptyAttributes.bg) writeEmpty(false);
      if (isHalf) text += "\x1b[C";
      else if (chars === "") {
        if (empty === 0) emptyAttributes = copyOf(attributes);
        empty += 1;
      } else {
        text += this.#change(attributes);
        // A combining character that stands alone must not join what is written before it.
        if (cell.getWidth() === 0) text += attributeSequence(this.#set);
        text += chars;
      }
    }
    writeEmpty(true);
    return text + this.#change(DEFAULT_ATTRIBUTES);
  }

  /**
   * Empty cells with attributes are what is left of wide characters of which the other half was
   * overwritten. They come first, because making one writes into a neighbour: the right one, or the
   * left one where they reach to the line's end.
   */
  #writeHalves(line: IBufferLine): string {
    let text = "";
    const write = (x: number, wideX: number): void => {
      const toNeighbour = `\x1b[${(wideX === x ? x + 1 : wideX) + 1}G`;
      this.#read(line, x);
      const style = this.#change(attributesOf(this.#cell));
      text += `\x1b[${wideX + 1}G${WIDE}${toNeighbour}${style}x`;
    };
    for (let begin = 0; begin < line.length; begin += 1) {
      let end = begin;
      while (end < line.length && this.#isHalf(line, end)) end += 1;
      if (end < line.length) for (let x = begin; x < end; x += 1) write(x, x);
      else for (let x = end - 1; x >= Math.max(begin, 1); x -= 1) write(x, x - 1);
      begin = end;
    }
    return text === "" ? "" : `${text}\r`;
  }

  #isHalf(line: IBufferLine, x: number): boolean {
    const cell = this.#read(line, x);
    return (
      cell.getChars() === "" && cell.getWidth() === 1 && !isPlainBackground(attributesOf(cell))
    );
  }

  #read(line: IBufferLine, x: number): IBufferCell {
    line.getCell(x, this.#cell);
    return this.#cell;
  }

  #change(attributes: CellAttributes): string {
    if (areSameAttributes(attributes, this.#set)) return "";
    const linkId = linkIdOf(attributes);
    const link = linkId === linkIdOf(this.#set) ? "" : linkSequence(linkId, this.#linkOf);
    this.#set = copyOf(attributes);
    return attributeSequence(attributes) + link;
  }
}

/** The library writes the next cell into the same object. */
function copyOf({ fg, bg, extended }: CellAttributes): CellAttributes {
  return { fg, bg, extended };
}
