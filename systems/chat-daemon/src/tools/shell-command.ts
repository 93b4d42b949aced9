/** Readings of a shell command, as models write them: no shell, and wrong only in harmless ways. */

/** A single `&` at the end means: in the background. It is taken off. */
export function splitBackground(command: string): {
  readonly command: string;
  readonly isBackground: boolean;
} {
  const match = /^([\s\S]*[^&|\s])\s*&\s*$/.exec(command);
  return match?.[1] === undefined
    ? { command, isBackground: false }
    : { command: match[1].trimEnd(), isBackground: true };
}

/** What the model is told about a command that a better tool serves; null: nothing. */
export function commandNote(command: string): string | null {
  const text = command.trim();
  const isPlain = !/[|;&<>`$]/.test(text);
  if (isPlain && /^(?:cat|head|tail|less|more)\s+/.test(text)) {
    return "To read files, use read_file: it numbers the lines and reads long files in pieces.";
  }
  if (isPlain && /^grep\s+(?:-\w+\s+)*(?:""|''|\.|"\.\*"|'\.\*')\s+\S/.test(text)) {
    return "This prints whole files. Use read_file for that, or a narrower pattern.";
  }
  return null;
}

/**
 * Program and first argument that is no flag, of each simple command: for people to see at a glance.
 * Null: it could not be read.
 */
export function parseCommands(command: string): readonly (readonly string[])[] | null {
  const words = splitWords(command);
  if (words === null) return null;
  const commands: string[][] = [[]];
  for (const word of words) {
    if (word.isOperator) commands.push([]);
    else commands.at(-1)?.push(word.text);
  }
  const parsed = commands.map(summarise).filter((each) => each.length > 0);
  return parsed.length === 0 ? null : parsed;
}

type Word = { readonly text: string; readonly isOperator: boolean };

const TOKEN =
  /\s+|(\|\||&&|\|&|[|;&\n()])|((?:"(?:\\[\s\S]|[^"\\])*"|'[^']*'|\\[\s\S]|[^\s|;&()"'\\])+)/y;

function splitWords(command: string): readonly Word[] | null {
  const words: Word[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < command.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(command);
    // A quote that does not end.
    if (match === null) return null;
    const [whole, operator, word] = match;
    if (operator !== undefined || (word === undefined && whole.includes("\n"))) {
      words.push({ text: operator ?? "\n", isOperator: true });
    } else if (word !== undefined) {
      // Redirections of descriptors such as `2>&1` are split at their ampersand: they end nothing.
      const isRest = from > 1 && command[from - 1] === "&" && command[from - 2] === ">";
      if (isRest) words.pop();
      else words.push({ text: unquoted(word), isOperator: false });
    }
  }
  return words;
}

function unquoted(word: string): string {
  return word.replaceAll(
    /"((?:\\[\s\S]|[^"\\])*)"|'([^']*)'|\\([\s\S])/g,
    (_all, double: string | undefined, single: string | undefined, escaped: string | undefined) =>
      double?.replaceAll(/\\([\s\S])/g, "$1") ?? single ?? escaped ?? "",
  );
}

function summarise(words: readonly string[]): string[] {
  const start = words.findIndex((word) => !/^\w+=/.test(word));
  const [program, ...rest] = start < 0 ? [] : words.slice(start);
  if (program === undefined || /[<>]/.test(program)) return [];
  const argument = rest.find((word) => !word.startsWith("-") && !/[<>]/.test(word));
  const name = program.slice(program.lastIndexOf("/") + 1);
  return argument === undefined ? [name] : [name, argument];
}
