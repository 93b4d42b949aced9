/**
 * What of a changed line is changed: removed lines are compared with the added ones that stand for them,
 * and what both begin and end with is the same. Lines that have little in common are changed as a whole,
 * and nothing of them is marked. Pure.
 */

export type MarkedSpan = { readonly from: number; readonly to: number };

type Line = { readonly kind: string; readonly text: string };

/** Longer lines are data, and nobody compares them by eye. */
const LINE_MAX = 1_000;
/** Of the longer of the two, what must be the same: else they are two lines. */
const SAME_SHARE_MIN = 0.3;
const WORDS = /[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu;

export function wordMarks<L extends Line>(lines: readonly L[]): ReadonlyMap<L, MarkedSpan> {
  const marks = new Map<L, MarkedSpan>();
  let at = 0;
  while (at < lines.length) {
    const removed = run(lines, at, "removed");
    const added = run(lines, at + removed.length, "added");
    // Of other numbers, it is not known which stands for which.
    if (removed.length === added.length) {
      for (const [index, before] of removed.entries()) {
        const after = added[index];
        if (after !== undefined) mark(marks, before, after);
      }
    }
    at += Math.max(1, removed.length + added.length);
  }
  return marks;
}

function run<L extends Line>(lines: readonly L[], start: number, kind: string): readonly L[] {
  let end = start;
  while (lines[end]?.kind === kind) end += 1;
  return lines.slice(start, end);
}

function mark<L extends Line>(marks: Map<L, MarkedSpan>, before: L, after: L): void {
  if (before.text.length > LINE_MAX || after.text.length > LINE_MAX) return;
  const olds = before.text.match(WORDS) ?? [];
  const news = after.text.match(WORDS) ?? [];
  const shorter = Math.min(olds.length, news.length);
  let head = 0;
  while (head < shorter && olds[head] === news[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && olds.at(-1 - tail) === news.at(-1 - tail)) tail += 1;
  const from = olds.slice(0, head).join("").length;
  const kept = olds.slice(olds.length - tail).join("").length;
  const same = (olds.slice(0, head).join("").trim() + olds.slice(olds.length - tail).join("").trim()).length; // prettier-ignore
  const longer = Math.max(before.text.trim().length, after.text.trim().length);
  if (same < longer * SAME_SHARE_MIN) return;
  for (const line of [before, after]) {
    const to = line.text.length - kept;
    if (to > from) marks.set(line, { from, to });
  }
}
