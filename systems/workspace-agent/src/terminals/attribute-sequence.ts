/** Attributes of cells as the control sequences that set them. */
import type { CellAttributes } from "./terminal-internals.ts";

// How the terminal library packs attributes: a colour's kind and value, and flags above them.
const COLOR_KIND = 0x3000000;
const COLOR_16 = 0x1000000;
const COLOR_256 = 0x2000000;
const COLOR_RGB = 0x3000000;
const COLOR_VALUE = 0xffffff;
const UNDERLINE = 0x10000000;
const HAS_EXTENDED = 0x10000000;
const PROTECTED = 0x20000000;
/** Bit → parameter of SGR. */
const FG_FLAGS = [
  [0x4000000, 7],
  [0x8000000, 1],
  [0x20000000, 5],
  [0x40000000, 8],
  [0x80000000, 9],
] as const;
const BG_FLAGS = [
  [0x4000000, 3],
  [0x8000000, 2],
  [0x40000000, 53],
] as const;

export const DEFAULT_ATTRIBUTES: CellAttributes = {
  fg: 0,
  bg: 0,
  extended: { _ext: 0, urlId: 0 },
};

/** Sets exactly these, whatever was set before. Links are not attributes here. */
export function attributeSequence(attributes: CellAttributes): string {
  const { fg, bg } = attributes;
  const parts = ["0", ...colorParts(fg, 30), ...colorParts(bg, 40)];
  for (const [bit, parameter] of FG_FLAGS) if ((fg & bit) !== 0) parts.push(String(parameter));
  for (const [bit, parameter] of BG_FLAGS) if ((bg & bit) !== 0) parts.push(String(parameter));
  if ((fg & UNDERLINE) !== 0) parts.push(underlinePart(attributes));
  parts.push(...underlineColorParts(attributes));
  const sequence = `\x1b[${parts.join(";")}m`;
  // SGR 0 takes the protection away.
  return (bg & PROTECTED) === 0 ? sequence : `${sequence}\x1b[1"q`;
}

/** Whether both look the same and behave the same when erased; links are compared as well. */
export function areSameAttributes(one: CellAttributes, other: CellAttributes): boolean {
  return (
    (one.fg ^ other.fg) === 0 && // The highest bit of one may be a sign.
    (one.bg & ~HAS_EXTENDED) === (other.bg & ~HAS_EXTENDED) &&
    linkIdOf(one) === linkIdOf(other) &&
    ((one.fg & UNDERLINE) === 0 || isSameUnderline(one, other))
  );
}

function isSameUnderline(one: CellAttributes, other: CellAttributes): boolean {
  return (
    underlinePart(one) === underlinePart(other) &&
    underlineColorParts(one).join() === underlineColorParts(other).join()
  );
}

/** 0: no link. */
export function linkIdOf({ bg, extended }: CellAttributes): number {
  return (bg & HAS_EXTENDED) === 0 ? 0 : extended.urlId;
}

/** What erasing leaves behind: a background and nothing else. */
export function isPlainBackground({ fg, bg }: CellAttributes): boolean {
  return fg === 0 && (bg & ~(COLOR_KIND | COLOR_VALUE)) === 0;
}

function colorParts(packed: number, base: 30 | 40): string[] {
  const value = packed & COLOR_VALUE;
  switch (packed & COLOR_KIND) {
    case COLOR_16: {
      const index = value & 0xff;
      return [String(index < 8 ? base + index : base + 60 + index - 8)];
    }
    case COLOR_256:
      return [`${base + 8};5;${value & 0xff}`];
    case COLOR_RGB:
      return [`${base + 8};2;${(value >> 16) & 0xff};${(value >> 8) & 0xff};${value & 0xff}`];
    default:
      return [];
  }
}

function underlinePart({ bg, extended }: CellAttributes): string {
  const style = (bg & HAS_EXTENDED) === 0 ? 1 : (extended._ext >> 26) & 7;
  return style > 1 ? `4:${style}` : "4";
}

function underlineColorParts({ bg, extended }: CellAttributes): string[] {
  if ((bg & HAS_EXTENDED) === 0) return [];
  const value = extended._ext & COLOR_VALUE;
  switch (extended._ext & COLOR_KIND) {
    case COLOR_16:
    case COLOR_256:
      return [`58:5:${value & 0xff}`];
    case COLOR_RGB:
      return [`58:2::${(value >> 16) & 0xff}:${(value >> 8) & 0xff}:${value & 0xff}`];
    default:
      return [];
  }
}
