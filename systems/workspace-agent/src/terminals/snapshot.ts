/**
 * A terminal's whole state as one sequence: written to a reset terminal of the same kind and size, it
 * makes that one equal, cell by cell, with scrollback, both screens, cursor, saved
 * cursor, modes, margins, tab stops, character sets and links. What comes next has the same effect on
 * both.
 *
 * The library has an add-on that says the text and colours of a screen. It leaves out most of the above,
 * which is what a program under way depends on.
 */
import type { IBuffer, Terminal } from "@xterm/headless";
import { areSameAttributes, attributeSequence, linkIdOf } from "./attribute-sequence.ts";
import { designatorOf } from "./charset.ts";
import {
  linesSequence,
  linkSequence,
  RESET_ATTRIBUTES,
  type LinkOf,
  type SavedCursor,
} from "./line-sequence.ts";
import {
  attributesOf,
  internalsOf,
  type CellAttributes,
  type ScreenBuffer,
  type TerminalInternals,
} from "./terminal-internals.ts";

const TAB_WIDTH = 8;
const CURSOR_STYLES = { block: 2, underline: 4, bar: 6 } as const;
const MOUSE_MODES: Readonly<Record<string, number>> = {
  X10: 9,
  VT200: 1000,
  DRAG: 1002,
  ANY: 1003,
};
const MOUSE_ENCODINGS: Readonly<Record<string, number>> = { SGR: 1006, SGR_PIXELS: 1016 };

export function snapshotOf(terminal: Terminal): string {
  const internals = internalsOf(terminal);
  const { normal, alt } = internals.buffers;
  const linkOf: LinkOf = (id) => internals._oscLinkService.getLinkData(id);
  const isAlternate = terminal.buffer.active.type === "alternate";
  const parts = [linesSequence(terminal, terminal.buffer.normal, savedCursorOf(normal), linkOf)];
  parts.push(marginsSequence(normal, terminal));
  if (isAlternate) {
    parts.push(`${RESET_ATTRIBUTES}\x1b[?47h\x1b[H`);
    const { alternate } = terminal.buffer;
    parts.push(linesSequence(terminal, alternate, savedCursorOf(alt), linkOf));
    parts.push(marginsSequence(alt, terminal));
  }
  parts.push(tabsSequence(isAlternate ? alt : normal, terminal.cols));
  parts.push(modesSequence(internals));
  parts.push(cursorSequence(terminal, internals, linkOf));
  return parts.join("");
}

function marginsSequence({ scrollTop, scrollBottom }: ScreenBuffer, { rows }: Terminal): string {
  const isDefault = scrollTop === 0 && scrollBottom === rows - 1;
  return isDefault ? "" : `\x1b[${scrollTop + 1};${scrollBottom + 1}r`;
}

/** The library remembers a line of the whole buffer, and not of the screen. */
function savedCursorOf({
  savedX,
  savedY,
  savedCurAttrData,
  savedCharset,
}: ScreenBuffer): SavedCursor {
  const charset = savedCharset === undefined ? "" : `\x1b(${designatorOf(savedCharset)}`;
  const style = attributeSequence(savedCurAttrData) + charset;
  const after = `${charset === "" ? "" : "\x1b(B"}${RESET_ATTRIBUTES}\r`;
  return { line: savedY, sequence: `${style}\x1b[${savedX + 1}G\x1b7${after}` };
}

function tabsSequence({ tabs }: ScreenBuffer, columns: number): string {
  const all = Array.from({ length: columns }, (_, column) => tabs[column] === true);
  if (all.every((isStop, column) => isStop === (column % TAB_WIDTH === 0))) return "";
  const stops = all.map((isStop, column) => (isStop ? `\x1b[${column + 1}G\x1bH` : ""));
  return `\x1b[3g${stops.join("")}`;
}

function charsetsSequence({ _charsetService: service }: TerminalInternals): string {
  const { charset, glevel, _charsets: charsets } = service;
  let text = "";
  for (const [level, introducer] of ["(", ")", "*", "+"].entries()) {
    // Restoring a cursor changes the set in use, but not the one that its level names.
    const each = level === glevel ? charset : charsets[level];
    if (each !== undefined) text += `\x1b${introducer}${designatorOf(each)}`;
  }
  return text + (["", "\x0e", "\x1bn", "\x1bo"][glevel] ?? "");
}

/** All but what changes how characters are written: that comes with the cursor. */
function modesSequence(internals: TerminalInternals): string {
  const { coreService, coreMouseService, optionsService } = internals;
  const modes = coreService.decPrivateModes;
  const set = [
    modes.applicationCursorKeys ? 1 : null,
    modes.reverseWraparound ? 45 : null,
    modes.applicationKeypad ? 66 : null,
    MOUSE_MODES[coreMouseService.activeProtocol] ?? null,
    modes.sendFocus ? 1004 : null,
    MOUSE_ENCODINGS[coreMouseService.activeEncoding] ?? null,
    modes.bracketedPasteMode ? 2004 : null,
    modes.synchronizedOutput ? 2026 : null,
  ].filter((mode) => mode !== null);
  return [
    ...set.map((mode) => `\x1b[?${mode}h`),
    // These are not reset by everything that resets a terminal.
    optionsService.rawOptions.convertEol ? "\x1b[20h" : "\x1b[20l",
    coreService.isCursorHidden ? "\x1b[?25l" : "\x1b[?25h",
    cursorStyleSequence(internals),
  ].join("");
}

function cursorStyleSequence({ coreService, optionsService }: TerminalInternals): string {
  const { cursorStyle, cursorBlink } = coreService.decPrivateModes;
  const blinks = optionsService.rawOptions.cursorBlink ? "\x1b[?12h" : "";
  if (cursorStyle === undefined) return `\x1b[0 q${blinks}`;
  return `\x1b[${CURSOR_STYLES[cursorStyle] - (cursorBlink === true ? 1 : 0)} q${blinks}`;
}

/**
 * The cursor, and how it writes. The state "the last column is written and the next character goes to
 * the next line" has no sequence of its own, nor has "a combining character joins the last one": both
 * come from writing that last character again.
 */
function cursorSequence(terminal: Terminal, internals: TerminalInternals, linkOf: LinkOf): string {
  const { coreService, _inputHandler: handler } = internals;
  const { wraparound, origin } = coreService.decPrivateModes;
  const isAlternate = terminal.buffer.active.type === "alternate";
  const screen = isAlternate ? internals.buffers.alt : internals.buffers.normal;
  const current = withOwnExtended(handler._curAttrData);
  const currentSequence =
    RESET_ATTRIBUTES + linkSequence(linkIdOf(current), linkOf) + attributeSequence(current);
  const insert = coreService.modes.insertMode ? "\x1b[4h" : "";
  const modes = (wraparound ? "" : "\x1b[?7l") + (origin ? "\x1b[?6h" : "");
  const row = screen.y + 1 - (origin ? screen.scrollTop : 0);

  const { x } = screen;
  const joins = handler._parser.precedingJoinState !== 0;
  const last =
    joins || x >= terminal.cols
      ? lastWritten(terminal.buffer.active, Math.min(x, terminal.cols))
      : null;
  const goTo = (column: number): string => `\x1b[${row};${column + 1}H`;
  const charsets = charsetsSequence(internals);
  if (last === null) {
    return modes + charsets + currentSequence + goTo(Math.min(x, terminal.cols - 1)) + insert;
  }
  // As the last thing of all where that is possible: each sequence after it ends the joining.
  if (joins && areSameAttributes(last.attributes, current) && isWritable(last.chars, internals)) {
    // While characters are inserted, the one that is there makes room for itself.
    const room = insert === "" ? "" : `${insert}\x1b[${last.width}P`;
    return modes + charsets + currentSequence + goTo(last.column) + room + last.chars;
  }
  const link = linkSequence(linkIdOf(last.attributes), linkOf);
  const attributes = RESET_ATTRIBUTES + link + attributeSequence(last.attributes);
  const again = goTo(last.column) + attributes + last.chars;
  return modes + again + charsets + currentSequence + insert;
}

type Written = {
  readonly column: number;
  readonly chars: string;
  readonly width: number;
  readonly attributes: CellAttributes;
};

/** The character before the column. A space in place of an empty cell: it looks the same. */
function lastWritten(buffer: IBuffer, column: number): Written | null {
  const line = buffer.getLine(buffer.baseY + buffer.cursorY);
  let at = column - 1;
  let cell = line?.getCell(at);
  if (cell?.getWidth() === 0 && cell.getChars() === "") {
    at -= 1;
    cell = line?.getCell(at);
  }
  if (cell === undefined) return null;
  const width = Math.max(cell.getWidth(), 1);
  if (at + width !== column) return null;
  return { column: at, chars: cell.getChars() || " ", width, attributes: attributesOf(cell) };
}

/** Where a character set is in use, what it maps would become something else. */
function isWritable(chars: string, { _charsetService: { charset } }: TerminalInternals): boolean {
  return charset?.[chars.charAt(0)] === undefined;
}

/** Of what is written next, the colour of an underline counts before there is one. */
function withOwnExtended({ fg, bg, extended }: CellAttributes): CellAttributes {
  return { fg, bg: bg | 0x10000000, extended };
}
