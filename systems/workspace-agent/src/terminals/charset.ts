/** Character sets by their letters, as `ESC (` takes them. */
import headless from "@xterm/headless";
import { internalsOf, type Charset } from "./terminal-internals.ts";

const LETTERS = "0A4C5RQKYE6ZH7=";
const ASCII = "B";

let letters: ReadonlyMap<Charset, string> | null = null;

/** The library's own tables are told apart by being the same object. */
export function designatorOf(charset: Charset): string {
  letters ??= learnLetters();
  return letters.get(charset) ?? ASCII;
}

function learnLetters(): ReadonlyMap<Charset, string> {
  const scratch = new headless.Terminal({ cols: 2, rows: 1, allowProposedApi: true });
  const { _inputHandler: handler, _charsetService: service } = internalsOf(scratch);
  const pairs = LETTERS.split("").map((letter) => {
    handler.parse(`\x1b(${letter}`);
    return [service._charsets[0], letter] as const;
  });
  scratch.dispose();
  return new Map(pairs);
}
