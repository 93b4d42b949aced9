/** Colours that a program gave the terminal: the library hands them on and does not keep them. */
import type { IParser } from "@xterm/headless";

/** OSC numbers of the colours of text, background and cursor. Each is reset by the number 100 above. */
const SPECIAL = [10, 11, 12] as const;
const PALETTE_MAX = 256;
const SPEC_CHARS_MAX = 64;

export class ScreenColors {
  readonly #palette = new Map<number, string>();
  readonly #special = new Map<number, string>();

  constructor(parser: IParser) {
    const onOsc = (number: number, see: (data: string) => void): void => {
      parser.registerOscHandler(number, (data) => {
        see(data);
        return false; // The library goes on with it.
      });
    };
    onOsc(4, (data) => this.#setPalette(data.split(";")));
    onOsc(104, (data) => {
      if (data === "") this.#palette.clear();
      for (const index of data.split(";")) this.#palette.delete(Number(index));
    });
    for (const number of SPECIAL) {
      // Several values in one sequence are for this colour and those after it.
      onOsc(number, (data) => {
        for (const [i, spec] of data.split(";").entries()) {
          const target = number + i;
          if (target <= 12 && isSpec(spec)) this.#special.set(target, spec);
        }
      });
      onOsc(number + 100, () => this.#special.delete(number));
    }
  }

  /** Resets all colours, and sets those that were given. */
  sequence(): string {
    const palette = [...this.#palette].map(([index, spec]) => `;${index};${spec}`).join("");
    return [
      "\x1b]104\x1b\\",
      ...SPECIAL.map((number) => `\x1b]${number + 100}\x1b\\`),
      palette === "" ? "" : `\x1b]4${palette}\x1b\\`,
      ...[...this.#special].map(([number, spec]) => `\x1b]${number};${spec}\x1b\\`),
    ].join("");
  }

  #setPalette(words: readonly string[]): void {
    for (let i = 0; i + 1 < words.length; i += 2) {
      const index = Number(words[i]);
      const spec = words[i + 1] ?? "";
      const isIndex = Number.isInteger(index) && index >= 0 && index < PALETTE_MAX;
      if (isIndex && isSpec(spec)) this.#palette.set(index, spec);
    }
  }
}

function isSpec(text: string): boolean {
  return /^[#\w:/.]+$/.test(text) && text.length <= SPEC_CHARS_MAX;
}
