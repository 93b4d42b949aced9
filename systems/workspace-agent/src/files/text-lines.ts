/** Text as lines that remember how they end. A carriage return alone ends no line. */
export type LineEnd = "" | "\n" | "\r\n";

export type TextLine = {
  readonly text: string;
  /** Empty: the last line, where the text does not end with a line end. */
  readonly end: LineEnd;
  /** Where it starts in the whole text. */
  readonly at: number;
};

export function splitLines(whole: string): TextLine[] {
  const lines: TextLine[] = [];
  let at = 0;
  while (at < whole.length) {
    const newline = whole.indexOf("\n", at);
    if (newline === -1) {
      lines.push({ text: whole.slice(at), end: "", at });
      break;
    }
    const isCrlf = newline > at && whole[newline - 1] === "\r";
    lines.push({
      text: whole.slice(at, isCrlf ? newline - 1 : newline),
      end: isCrlf ? "\r\n" : "\n",
      at,
    });
    at = newline + 1;
  }
  return lines;
}

/** How the lines of a text end. Null: some so, some so, or there is only one. */
export function lineEndOf(whole: string): "\n" | "\r\n" | null {
  let crlf = 0;
  let all = 0;
  for (let at = whole.indexOf("\n"); at !== -1; at = whole.indexOf("\n", at + 1)) {
    all += 1;
    if (at > 0 && whole[at - 1] === "\r") crlf += 1;
    if (crlf !== 0 && crlf !== all) return null;
  }
  if (all === 0) return null;
  return crlf === all ? "\r\n" : "\n";
}

export function withLineEnd(text: string, end: "\n" | "\r\n"): string {
  return text.replaceAll(/\r?\n/g, end);
}

/** The number of the line, from 1, that holds a character. */
export function lineNumberAt(whole: string, at: number): number {
  let number = 1;
  for (let i = whole.indexOf("\n"); i !== -1 && i < at; i = whole.indexOf("\n", i + 1)) number += 1;
  return number;
}

export function hasMoreLines(whole: string, max: number): boolean {
  let count = 0;
  for (let at = whole.indexOf("\n"); at !== -1; at = whole.indexOf("\n", at + 1)) {
    count += 1;
    if (count > max) return true;
  }
  return false;
}
