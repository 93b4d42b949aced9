/**
 * What a terminal shows: reads a program's output as a terminal does, passes it on in whole pieces, and
 * says its state as one sequence at any moment between two pieces.
 */
import headless from "@xterm/headless";
import type { Terminal } from "@xterm/headless";
import { ERASE_TO_CURSOR, OutputSplitter, type Piece } from "./output-splitter.ts";
import { ScreenColors } from "./screen-colors.ts";
import { snapshotOf } from "./snapshot.ts";
import { GROUND, internalsOf, STRING_STATES } from "./terminal-internals.ts";

export type ScreenSize = { readonly columns: number; readonly rows: number };

/** Lines kept above the screen. */
export const SCROLLBACK_LINES = 2_000;

const RESET = "\x1bc";
const TITLE_CHARS_MAX = 1_024;

export type ScreenEvents = {
  /** What the program asked the terminal for, to be typed. */
  onAnswer(text: string): void;
  /** The library failed on a piece, and its rest is lost: viewers need a snapshot. */
  onFault(error: unknown): void;
};

export class Screen {
  readonly #terminal: Terminal;
  readonly #splitter: OutputSplitter;
  readonly #colors: ScreenColors;
  readonly #events: ScreenEvents;
  #title = "";

  constructor({ columns, rows }: ScreenSize, events: ScreenEvents) {
    this.#events = events;
    this.#terminal = new headless.Terminal({
      cols: columns,
      rows,
      scrollback: SCROLLBACK_LINES,
      allowProposedApi: true,
      logLevel: "off",
      windowOptions: { getWinSizeChars: true },
    });
    const { _inputHandler: handler } = internalsOf(this.#terminal);
    this.#splitter = new OutputSplitter(handler._parser._transitions.table);
    this.#colors = new ScreenColors(this.#terminal.parser);
    this.#terminal.onData((text) => events.onAnswer(text));
    this.#terminal.onTitleChange((title) => {
      this.#title = title.slice(0, TITLE_CHARS_MAX);
    });
  }

  get title(): string {
    return this.#title;
  }

  get size(): ScreenSize {
    return { columns: this.#terminal.cols, rows: this.#terminal.rows };
  }

  /** The state is the one after all of the pieces when this returns. */
  write(bytes: Uint8Array): Piece[] {
    return this.#apply(this.#splitter.split(bytes));
  }

  /** No output comes any more: what waited for its rest. */
  end(): Piece[] {
    return this.#apply(this.#splitter.end());
  }

  /** Null: nothing changed. Else what tells viewers. */
  resize({ columns, rows }: ScreenSize): Piece | null {
    if (columns === this.#terminal.cols && rows === this.#terminal.rows) return null;
    this.#terminal.resize(columns, rows);
    const renewal = this.#terminal.buffer.active.type === "normal" ? RENEW_ALTERNATE : "";
    internalsOf(this.#terminal)._inputHandler.parse(renewal);
    return { text: sizeSequence({ columns, rows }) + renewal, audience: "everyone" };
  }

  /** Makes any terminal show this, and ready for the next piece. */
  snapshot(): string {
    const title = this.#title === "" ? "" : `\x1b]2;${this.#title}\x1b\\`;
    return [
      RESET,
      sizeSequence(this.size),
      RENEW_ALTERNATE,
      this.#colors.sequence(),
      title,
      snapshotOf(this.#terminal),
      introducerOf(this.#splitter.givenState),
    ].join("");
  }

  #apply(pieces: readonly Piece[]): Piece[] {
    const { _inputHandler: handler } = internalsOf(this.#terminal);
    const applied: Piece[] = [];
    for (const given of pieces) {
      const piece = this.#withoutFault(given);
      try {
        handler.parse(piece.text);
        applied.push(piece);
      } catch (error) {
        handler.parse(CANCEL);
        this.#events.onFault(error);
      }
    }
    return applied;
  }

  /**
   * The library fails when the screen is erased up to its very last cell, in the agent as in a viewer.
   * That is the whole screen, which it can erase.
   */
  #withoutFault(piece: Piece): Piece {
    const [, privately] = ERASE_TO_CURSOR.exec(piece.text) ?? [];
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    const { columns, rows } = this.size;
    if (privately === undefined || cursorX + 1 < columns || cursorY + 1 < rows) return piece;
    return { ...piece, text: `\x1b[${privately}2J` };
  }
}

/** Ends whatever sequence is under way. */
const CANCEL = "\x18";

/** Says viewers how large the terminal is from here on. */
function sizeSequence({ columns, rows }: ScreenSize): string {
  return `\x1b[8;${rows};${columns}t`;
}

/**
 * The library keeps the old size for an alternate screen that is not in use, which would scroll then.
 * Going there and back makes it new.
 */
const RENEW_ALTERNATE = "\x1b[?47h\x1b[?47l";

/** Brings a terminal to where the rest of a very long sequence is swallowed, as it should be. */
function introducerOf(state: number): string {
  if (state === GROUND) return "";
  if (state < STRING_STATES.sosPmApc) return "\x1b[1<";
  if (state === STRING_STATES.sosPmApc) return "\x1bX";
  return state === STRING_STATES.osc ? "\x1b]999999;" : "\x1bPz";
}
