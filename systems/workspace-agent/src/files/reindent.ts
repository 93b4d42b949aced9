/**
 * Indentation of added lines, when the lines around them were given with another indentation than the
 * file has. It is learned from the lines that stand in both.
 */
export type IndentPair = { readonly given: string; readonly actual: string };

/** Where nothing tells how wide a tab is. */
const TAB_WIDTH_DEFAULT = 4;

export function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

/** Turns an indentation as it was given into the one that the file would have there. */
export function reindenter(pairs: readonly IndentPair[]): (given: string) => string {
  const known = new Map<string, string>();
  for (const { given, actual } of pairs) if (!known.has(given)) known.set(given, actual);
  const byLength = [...known].toSorted(([a], [b]) => a.length - b.length);
  const isTabbed = pairs.some(({ actual }) => actual.includes("\t"));
  const tabWidth = learnTabWidth(byLength);
  const inStyle = (rest: string): string =>
    isTabbed
      ? rest.replaceAll(" ".repeat(tabWidth), "\t")
      : rest.replaceAll("\t", " ".repeat(tabWidth));
  const hasSpaces = pairs.some(({ actual }) => actual.includes(" "));
  const isPlain = !isTabbed && !hasSpaces; // The file shows no style: what was given stays.

  return (given) => {
    const same = known.get(given);
    if (same !== undefined) return same;
    const outer = byLength.findLast(([each]) => given.startsWith(each));
    if (outer !== undefined) {
      const rest = given.slice(outer[0].length);
      return outer[1] + (isPlain ? rest : inStyle(rest));
    }
    // Less deep than every line around: by as much less in the file.
    const inner = byLength.find(([each]) => each.startsWith(given));
    if (inner === undefined) return given;
    const missing = inStyle(inner[0].slice(given.length)).length;
    return inner[1].slice(0, Math.max(0, inner[1].length - missing));
  };
}

/** From two lines that differ in depth on both sides: how many spaces are one tab. */
function learnTabWidth(byLength: readonly (readonly [given: string, actual: string])[]): number {
  for (const [i, [givenA, actualA]] of byLength.entries()) {
    for (const [givenB, actualB] of byLength.slice(i + 1)) {
      const [given, actual] = [givenB.length - givenA.length, actualB.length - actualA.length];
      const [more, fewer] = [Math.max(given, actual), Math.min(given, actual)];
      const isTabs = `${givenB}${actualB}`.includes("\t");
      if (isTabs && fewer > 0 && more > fewer && more % fewer === 0) return more / fewer;
    }
  }
  return TAB_WIDTH_DEFAULT;
}
