/** Finding in long outputs: where a part stands, which one is next, and how long all of it is. */

/** Nobody goes through more. */
export const FOUND_MAX = 1_000;

/** Where each begins, in order; case does not matter. Empty for nothing wanted. */
export function findAll(text: string, wanted: string): readonly number[] {
  const needle = wanted.toLowerCase();
  const hay = text.toLowerCase();
  // Some letters are of another length in lower case: then places would not be those of the text.
  const [within, part] = hay.length === text.length ? [hay, needle] : [text, wanted];
  const found: number[] = [];
  if (part === "") return found;
  for (let at = within.indexOf(part); at >= 0; at = within.indexOf(part, at + part.length)) {
    found.push(at);
    if (found.length === FOUND_MAX) break;
  }
  return found;
}

/** `3 of 12`, from the end of which it goes on at the beginning. */
export function foundText(found: readonly number[], place: number): string {
  if (found.length === 0) return "none";
  const count = found.length === FOUND_MAX ? `${FOUND_MAX}+` : String(found.length);
  return `${place + 1} of ${count}`;
}

export function lineCount(text: string): number {
  if (text === "") return 0;
  let lines = text.endsWith("\n") ? 0 : 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}
