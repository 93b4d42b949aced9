/**
 * What the terminal library knows but does not publish: a screen's exact state needs it. Its version is
 * pinned, and the tests of snapshots fail when any of this is different.
 */
import type { IBufferCell, Terminal } from "@xterm/headless";

/** Colours and flags of a cell or of what is printed next, as the library packs them. */
export type CellAttributes = {
  readonly fg: number;
  readonly bg: number;
  readonly extended: {
    /** Style and colour of an underline, also where a link has an underline of its own. */
    readonly _ext: number;
    readonly urlId: number;
  };
};

/** Maps ASCII to what is shown for it. One object for each character set; undefined is ASCII itself. */
export type Charset = Readonly<Record<string, string | undefined>> | undefined;

export type ScreenBuffer = {
  readonly x: number;
  readonly y: number;
  readonly ybase: number;
  readonly scrollTop: number;
  readonly scrollBottom: number;
  readonly tabs: Readonly<Record<number, boolean | undefined>>;
  readonly savedX: number;
  readonly savedY: number;
  readonly savedCurAttrData: CellAttributes;
  readonly savedCharset: Charset;
};

export type TerminalInternals = {
  readonly buffers: { readonly normal: ScreenBuffer; readonly alt: ScreenBuffer };
  readonly coreService: {
    readonly isCursorHidden: boolean;
    readonly modes: { readonly insertMode: boolean };
    readonly decPrivateModes: {
      readonly applicationCursorKeys: boolean;
      readonly applicationKeypad: boolean;
      readonly bracketedPasteMode: boolean;
      readonly cursorBlink: boolean | undefined;
      readonly cursorStyle: "block" | "underline" | "bar" | undefined;
      readonly origin: boolean;
      readonly reverseWraparound: boolean;
      readonly sendFocus: boolean;
      readonly synchronizedOutput: boolean;
      readonly wraparound: boolean;
    };
  };
  readonly coreMouseService: { readonly activeProtocol: string; readonly activeEncoding: string };
  readonly optionsService: {
    readonly rawOptions: { readonly convertEol: boolean; readonly cursorBlink: boolean };
  };
  readonly _charsetService: {
    readonly charset: Charset;
    readonly glevel: number;
    readonly _charsets: readonly Charset[];
  };
  readonly _oscLinkService: {
    getLinkData(id: number): { readonly id?: string; readonly uri: string } | undefined;
  };
  readonly _inputHandler: {
    readonly _curAttrData: CellAttributes;
    /** Synchronous, because no handler is asynchronous. */
    parse(text: string): unknown;
    readonly _parser: {
      readonly currentState: number;
      /** Not 0: the last thing that happened was a character, which a combining one would join. */
      readonly precedingJoinState: number;
      readonly _transitions: { readonly table: Uint8Array };
    };
  };
};

export function internalsOf(terminal: Terminal): TerminalInternals {
  return (terminal as unknown as { readonly _core: TerminalInternals })._core;
}

export function attributesOf(cell: IBufferCell): CellAttributes {
  return cell as unknown as CellAttributes;
}

/** Where the parser's state is when no sequence is under way. */
export const GROUND = 0;
/** And right after ESC. */
export const ESCAPE = 1;

/** Parser states in which a string is swallowed up to its terminator. */
export const STRING_STATES = { csiIgnore: 6, sosPmApc: 7, osc: 8 } as const;

/** The parser's next state, by its own table. */
export function nextParserState(table: Uint8Array, state: number, code: number): number {
  const NON_ASCII = 0xa0;
  const transition = table[(state << 8) | Math.min(code, NON_ASCII)] ?? GROUND;
  const next = transition & 0xf;
  // Strings that ESC ends go on with what ESC begins: the library does so beside the table.
  return code === 0x1b ? ESCAPE : next;
}
