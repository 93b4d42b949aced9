/**
 * Cuts a program's output where the screen is well defined: never inside a character or a control
 * sequence. What is cut off waits for its rest. So a snapshot between two pieces, and live output from
 * there on, are exact, and no viewer sees half a character.
 *
 * On the way, what asks the terminal a question is set aside: one answer is enough.
 */
import { ESCAPE, GROUND, nextParserState } from "./terminal-internals.ts";

/**
 * `agent`: a question that the agent answers, or a wish about the window that nobody is bound to.
 * `one`: a question that only a viewer can answer, and only one should.
 */
export type Audience = "everyone" | "one" | "agent";

export type Piece = { readonly text: string; readonly audience: Audience };

/** Longer sequences go out in parts: they are images or clipboards, which are not on the screen. */
export const HELD_CHARS_MAX = 16 * 1024;

const ESC = "\x1b";
const CSI = `(?:${ESC}\\[|\x9b)`;
const OSC = `(?:${ESC}\\]|\x9d)`;
const DCS = `(?:${ESC}P|\x90)`;

/** Erases the screen up to the cursor. Comes as a piece of its own: see `Screen`. */
export const ERASE_TO_CURSOR = new RegExp(`^${CSI}(\\??)0*1J$`);

/** What may begin a sequence: ESC and its 8-bit sisters. */
const INTRODUCER = new RegExp(`[${ESC}\x80-\x9f]`, "g");

export class OutputSplitter {
  readonly #table: Uint8Array;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #state = GROUND;
  /** The begun sequence that waits for its rest. */
  #held = "";
  /** The begun sequence was too long to wait for: it goes out as it comes. */
  #isPassing = false;

  /** `table` is the parser's own, so that both always agree. */
  constructor(table: Uint8Array) {
    this.#table = table;
  }

  /** The parser's state after the pieces given so far: not `GROUND` inside a very long sequence. */
  get givenState(): number {
    return this.#isPassing ? this.#state : GROUND;
  }

  split(bytes: Uint8Array): Piece[] {
    return this.#split(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The output is over: what waits comes as it is. */
  end(): Piece[] {
    const pieces = this.#split(this.#decoder.decode());
    if (this.#held !== "") pieces.push({ text: this.#held, audience: "everyone" });
    this.#held = "";
    return pieces;
  }

  #split(fresh: string): Piece[] {
    const text = this.#held + fresh;
    const pieces: Piece[] = [];
    let given = 0;
    const giveUpTo = (end: number): void => {
      if (given < end) pieces.push({ text: text.slice(given, end), audience: "everyone" });
      given = end;
    };
    /** Where the sequence under way begins: here what was held, or in an earlier piece. */
    let begin = 0;
    for (let i = this.#held.length; i < text.length; i += 1) {
      if (this.#state === GROUND) {
        i = indexOfIntroducer(text, i);
        if (i === text.length) break;
        begin = i;
      }
      begin = beginOf(text, i, this.#state) ?? begin;
      this.#state = nextParserState(this.#table, this.#state, text.charCodeAt(i));
      if (this.#state !== GROUND) continue;
      const whole = this.#isPassing ? "" : text.slice(begin, i + 1);
      this.#isPassing = false;
      const audience = audienceOf(whole);
      const isAlone = ERASE_TO_CURSOR.test(whole);
      if (audience === "everyone" && !isAlone) continue;
      giveUpTo(begin);
      pieces.push({ text: whole, audience });
      given = i + 1;
    }
    const isInside = this.#state !== GROUND;
    this.#isPassing ||= isInside && text.length - begin > HELD_CHARS_MAX;
    giveUpTo(isInside && !this.#isPassing ? begin : text.length);
    this.#held = text.slice(given);
    return pieces;
  }
}

/** Of the sequence that begins with or right before this character. Null: what is under way goes on. */
function beginOf(text: string, at: number, state: number): number | null {
  const code = text.charCodeAt(at);
  // After ESC, only `\` belongs to what was before it, as does its 8-bit sister.
  if (state === ESCAPE && code !== 0x5c) return text.lastIndexOf("\x1b", at);
  return code >= 0x80 && code < 0xa0 && code !== 0x9c ? at : null;
}

function indexOfIntroducer(text: string, from: number): number {
  INTRODUCER.lastIndex = from;
  return INTRODUCER.exec(text)?.index ?? text.length;
}

/** What the agent answers, or leaves without answer, so that every viewer behaves alike. */
const AGENTS = new RegExp(
  [
    `${CSI}[>=]?[\\d;]*c`, // Device attributes.
    `${CSI}\\??[\\d;]*n`, // Device status, cursor position.
    `${CSI}\\??[\\d;]*\\$p`, // Is a mode set?
    `${CSI}>[\\d;]*q`, // Name and version.
    `${CSI}[\\d;]*x`, // Terminal parameters.
    `${CSI}\\?[\\d;]*u`, // Keyboard protocol.
    `${CSI}(?!2[23](?:;|t))[\\d;]*t`, // Window size and reports, but not the stack of titles.
    `${DCS}[$+]q[^]*`, // Settings, capabilities.
  ]
    .map((each) => `^${each}$`)
    .join("|"),
);

/** Colours and the clipboard are a viewer's own. */
const ONES = new RegExp(`^${OSC}(?:4;\\d+|5;\\d+|1\\d|52;[^;]*);\\?`);

function audienceOf(sequence: string): Audience {
  if (ONES.test(sequence)) return "one";
  return AGENTS.test(sequence) ? "agent" : "everyone";
}
