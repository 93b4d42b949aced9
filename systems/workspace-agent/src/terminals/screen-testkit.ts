/** Terminals for tests of screens: what they show as plain values, and output to feed them with. */
import headless from "@xterm/headless";
import type { IBuffer, Terminal } from "@xterm/headless";
import fc from "fast-check";
import { SCROLLBACK_LINES } from "./screen.ts";
import { attributesOf, internalsOf, type CellAttributes } from "./terminal-internals.ts";

/** A viewer's terminal: it takes the size that the output says. */
export function viewerTerminal(columns = 80, rows = 24): Terminal {
  const terminal = new headless.Terminal({
    cols: columns,
    rows,
    scrollback: SCROLLBACK_LINES,
    allowProposedApi: true,
    logLevel: "off",
    windowOptions: { setWinSizeChars: true },
  });
  terminal.parser.registerCsiHandler({ final: "t" }, ([op, toRows, toColumns]) => {
    if (op === 8) terminal.resize(Number(toColumns), Number(toRows));
    return true;
  });
  return terminal;
}

export function feed(terminal: Terminal, output: string | Uint8Array): void {
  const text = typeof output === "string" ? output : new TextDecoder().decode(output);
  internalsOf(terminal)._inputHandler.parse(text);
}

/** All that a person sees or a program's next output depends on, but for links. */
export function stateOf(terminal: Terminal): object {
  const core = internalsOf(terminal);
  const { active } = terminal.buffer;
  const screen = active.type === "alternate" ? core.buffers.alt : core.buffers.normal;
  return {
    size: [terminal.cols, terminal.rows],
    active: active.type,
    cursor: [active.cursorX, active.cursorY, core.coreService.isCursorHidden],
    margins: [screen.scrollTop, screen.scrollBottom],
    modes: { ...core.coreService.decPrivateModes, ...core.coreService.modes },
    mouse: [core.coreMouseService.activeProtocol, core.coreMouseService.activeEncoding],
    convertEol: core.optionsService.rawOptions.convertEol,
    charset: core._charsetService.charset?.["q"] ?? null,
    normal: linesOf(terminal.buffer.normal),
    alternate: active.type === "alternate" ? linesOf(active) : [],
  };
}

/** Each line as cells in which nothing differs, one for each run. */
function linesOf(buffer: IBuffer): string[] {
  const cell = buffer.getNullCell();
  return Array.from({ length: buffer.length }, (_, y) => {
    const line = buffer.getLine(y);
    if (line === undefined) return "-";
    // Whether the very first line continues one that is gone cannot be seen.
    let text = line.isWrapped && y > 0 ? "…" : "";
    let last = "";
    let wasWide = false;
    for (let x = 0; x < line.length; x += 1) {
      line.getCell(x, cell);
      const attributes = attributesOf(cell);
      const style = [
        cell.getFgColorMode(),
        cell.getFgColor(),
        cell.getBgColorMode(),
        cell.getBgColor(),
        attributes.fg >>> 26,
        (attributes.bg >>> 26) & ~0b100,
        underlineOf(attributes),
      ].join();
      if (style !== last) text += `<${style}>`;
      last = style;
      const isLoneHalf = !wasWide && cell.getWidth() === 0 && cell.getChars() === "";
      const isNarrow = cell.getWidth() === 1 || isLoneHalf;
      text += isNarrow ? cell.getChars() || "·" : `${cell.getChars()}_${cell.getWidth()}`;
      wasWide = cell.getWidth() === 2;
    }
    return text.replace(/·+$/, "");
  });
}

function underlineOf({ fg, bg, extended }: CellAttributes): number {
  if ((fg & 0x10000000) === 0) return 0;
  const single = 1 << 26;
  if ((bg & 0x10000000) === 0 || extended._ext === 0) return single;
  // Of a colour of the palette only the lowest byte counts.
  return (extended._ext & 0x3000000) === 0x2000000 ? extended._ext & ~0xffff00 : extended._ext;
}

/** What each cell links to, line by line. */
export function linksOf(terminal: Terminal): string[] {
  const buffer = terminal.buffer.active;
  const links = internalsOf(terminal)._oscLinkService;
  const cell = buffer.getNullCell();
  return Array.from({ length: buffer.length }, (_, y) => {
    const line = buffer.getLine(y);
    const cells = Array.from({ length: line?.length ?? 0 }, (__, x) => {
      line?.getCell(x, cell);
      const { bg, extended } = attributesOf(cell);
      return (bg & 0x10000000) === 0 ? "" : (links.getLinkData(extended.urlId)?.uri ?? "");
    });
    return cells.join(" ").trimEnd();
  });
}

const small = fc.integer({ min: 0, max: 12 });
const csi = (final: string, ...parameters: readonly fc.Arbitrary<number>[]) =>
  fc.tuple(...parameters).map((values) => `\x1b[${values.join(";")}${final}`);
/** Not 7: without wrapping the library leaves halves of wide characters that nothing else makes. */
const mode = fc.constantFrom(
  1,
  6,
  12,
  25,
  45,
  47,
  66,
  9,
  1000,
  1002,
  1003,
  1004,
  1006,
  1016,
  1047,
  1048,
  1049,
  2004,
);

/** One thing that a program writes. */
export const outputPart: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-z ]{1,24}$/) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "日本語",
      "한국",
      "é",
      "e\u0301",
      "a\u0308\u0301",
      "\u0301",
      "🙂",
      "─┼",
      "x",
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom("\r\n", "\n", "\r", "\b", "\t", "\x0e", "\x0f", "\x07", "\x7f"),
  },
  { weight: 3, arbitrary: csi("H", small, fc.integer({ min: 0, max: 24 })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(..."ABCDEFGIZ`aded".split("")).chain((final) => csi(final, small)),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(..."@LMPSTXb".split(""))
      .chain((final) => csi(final, fc.integer({ min: 1, max: 4 }))),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(..."JK".split(""))
      .chain((final) => csi(final, fc.integer({ min: 0, max: 3 }))),
  },
  { weight: 1, arbitrary: csi(" @", small) },
  { weight: 1, arbitrary: csi(" A", small) },
  {
    weight: 4,
    arbitrary: fc.oneof(
      csi(
        "m",
        fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 9, 21, 22, 24, 27, 31, 39, 42, 49, 53, 95, 103),
      ),
      csi("m", fc.constantFrom(38, 48, 58), fc.constant(5), fc.integer({ min: 0, max: 255 })),
      csi("m", fc.constantFrom(38, 48, 58), fc.constant(2), small, small, small),
      fc.constant("\x1b[4:3m"),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(mode, fc.constantFrom("h", "l"))
      .map(([number, on]) => `\x1b[?${number}${on}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "\x1b[4h",
      "\x1b[4l",
      "\x1b[20h",
      "\x1b[20l",
      "\x1b[!p",
      "\x1b[3 q",
      "\x1b[0 q",
    ),
  },
  { weight: 2, arbitrary: csi("r", small, small) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "\x1b7",
      "\x1b8",
      "\x1bD",
      "\x1bE",
      "\x1bM",
      "\x1bH",
      "\x1b[g",
      "\x1b[3g",
      "\x1b#8",
      "\x1bc",
      "\x1b=",
      "\x1b>",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("\x1b(0", "\x1b(B", "\x1b)0", "\x1b(A", "\x1bn", "\x1b*0"),
  },
  { weight: 1, arbitrary: fc.constantFrom('\x1b[1"q', '\x1b[0"q', "\x1b[?0K", "\x1b[?2J") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "\x1b]2;title\x07",
      "\x1bPqdata\x1b\\",
      "\x1b_apc\x1b\\",
      "\x1b[12\n3",
      "\x1b[?",
      "\x1b]0;un",
      "\u0085",
      "\u009b5C",
      "\x18",
    ),
  },
);
