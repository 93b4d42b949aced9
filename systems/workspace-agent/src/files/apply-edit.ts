/**
 * Replaces a piece of a text. The piece is looked for as it is; where it does not stand so, as whole
 * lines without the white space at their ends; and last as whole lines without any indentation. What
 * the file has differently in lines that stay, and how its lines end, stays as the file has it.
 *
 * A piece that begins with white space and stands only inside of a deeper indentation was given with
 * another indentation: as whole lines it is understood better.
 */
import { assert } from "@atelier/base/assert";
import { diffArrays } from "diff";
import { findRuns } from "./find-runs.ts";
import { indentOf, reindenter } from "./reindent.ts";
import { hasMoreLines, lineEndOf, lineNumberAt, splitLines, withLineEnd } from "./text-lines.ts";

export type TextEdit = {
  readonly oldText: string;
  readonly newText: string;
  readonly replaceAll: boolean;
};

export type EditOutcome =
  | { readonly kind: "edited"; readonly text: string }
  | { readonly kind: "absent" }
  /** It stands there more than once: the lines, from 1, of the first few places. */
  | { readonly kind: "several"; readonly lines: readonly number[]; readonly isMore: boolean };

type Piece = { readonly start: number; readonly end: number; readonly replacement: string };

/** Above this, which lines stay is not worked out. */
const CHANGED_LINES_MAX = 2_000;
/** In a file with more lines a piece is only found as it is. */
export const TOLERANT_LINES_MAX = 500_000;
const NAMED_PLACES_MAX = 10;
const INDENTATION_MAX = 1_000;

export function applyEdit(text: string, edit: TextEdit): EditOutcome {
  const exact = replaceExact(text, edit, isOutsideIndentation);
  if (exact.kind !== "absent") return exact;
  const tolerant = hasMoreLines(text, TOLERANT_LINES_MAX) ? exact : replaceLines(text, edit);
  return tolerant.kind === "absent" ? replaceExact(text, edit, () => true) : tolerant;
}

function replaceLines(text: string, edit: TextEdit): EditOutcome {
  for (const find of [findWithoutTrailingSpace, findWithoutIndentation]) {
    const pieces = find(text, edit);
    if (pieces.length === 0) continue;
    const starts = pieces.map((piece) => piece.start);
    if (starts.length > 1 && !edit.replaceAll) return severalAt(text, starts);
    return { kind: "edited", text: replacePieces(text, pieces) };
  }
  return { kind: "absent" };
}

function severalAt(text: string, starts: readonly number[]): EditOutcome {
  const lines = starts.slice(0, NAMED_PLACES_MAX).map((start) => lineNumberAt(text, start));
  return { kind: "several", lines, isMore: starts.length > NAMED_PLACES_MAX };
}

function replacePieces(text: string, pieces: readonly Piece[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, replacement } of pieces) {
    if (start < at) continue; // It overlaps one that is replaced.
    parts.push(text.slice(at, start), replacement);
    at = end;
  }
  return parts.join("") + text.slice(at);
}

type Place = (text: string, at: number) => boolean;

function replaceExact(text: string, edit: TextEdit, mayStart: Place): EditOutcome {
  const end = lineEndOf(text);
  const asGiven = edit.oldText;
  const adapted = end === null ? asGiven : withLineEnd(asGiven, end);
  const sought = text.includes(asGiven) ? asGiven : adapted;
  // Who writes carriage returns out, and hits them, means them.
  const meansEnds = sought === asGiven && asGiven.includes("\r");
  const replacementAt = (at: number): string => {
    const own = meansEnds ? null : (end ?? lineEndAt(text, at));
    return own === null ? edit.newText : withLineEnd(edit.newText, own);
  };
  const starts = firstStarts(text, sought, mayStart);
  const [start] = starts;
  if (start === undefined) return { kind: "absent" };
  if (edit.replaceAll) {
    const all = text.replaceAll(sought, (_, at: number) =>
      mayStart(text, at) ? replacementAt(at) : sought,
    );
    return { kind: "edited", text: all };
  }
  if (starts.length > 1) return severalAt(text, starts);
  const after = text.slice(start + sought.length);
  return { kind: "edited", text: text.slice(0, start) + replacementAt(start) + after };
}

/** The first starts, overlapping ones included: to edit one of two overlapping places is a guess. */
function firstStarts(text: string, piece: string, mayStart: Place): number[] {
  const starts: number[] = [];
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + 1)) {
    if (mayStart(text, at)) starts.push(at);
    if (starts.length > NAMED_PLACES_MAX) break;
  }
  return starts;
}

/** False: white space stands on both sides of the place, and only white space before it on its line. */
function isOutsideIndentation(text: string, at: number): boolean {
  const isBlank = (character: string | undefined): boolean =>
    character === " " || character === "\t";
  if (!isBlank(text[at])) return true;
  let before = at - 1;
  while (isBlank(text[before]) && at - before < INDENTATION_MAX) before -= 1;
  return before === at - 1 || (before >= 0 && text[before] !== "\n");
}

/** How the line of a character ends, in a text whose lines end differently. */
function lineEndAt(text: string, at: number): "\n" | "\r\n" | null {
  const newline = text.indexOf("\n", at);
  if (newline === -1) return null;
  return newline > 0 && text[newline - 1] === "\r" ? "\r\n" : "\n";
}

function findWithoutTrailingSpace(text: string, edit: TextEdit): Piece[] {
  return findLines(text, edit, {
    key: (line) => line.trimEnd(),
    adapterOf: () => (line) => line,
  });
}

function findWithoutIndentation(text: string, edit: TextEdit): Piece[] {
  return findLines(text, edit, {
    key: (line) => line.trim(),
    adapterOf: (pairs) => {
      const reindent = reindenter(
        pairs
          .filter(({ given }) => given.trim() !== "")
          .map(({ given, actual }) => ({ given: indentOf(given), actual: indentOf(actual) })),
      );
      return (line, replaced) => {
        if (line.trim() === "") return "";
        const given = indentOf(line);
        const isAlike = replaced !== null && indentOf(replaced.given) === given;
        return (isAlike ? indentOf(replaced.actual) : reindent(given)) + line.trimStart();
      };
    },
  });
}

/** A line as the edit has it, and as the file has it. */
type LinePair = { readonly given: string; readonly actual: string };

type Tolerance = {
  /** What two lines must have in common. */
  key(line: string): string;
  /** Fits added lines in where the old ones were found; `replaced` is the one whose place it takes. */
  adapterOf(pairs: readonly LinePair[]): Adapter;
};
type Adapter = (line: string, replaced: LinePair | null) => string;

function findLines(text: string, edit: TextEdit, tolerance: Tolerance): Piece[] {
  const given = splitLines(edit.oldText);
  const keys = given.map((line) => tolerance.key(line.text));
  // White space alone would fit anywhere.
  if (keys.every((key) => key.trim() === "")) return [];
  const lines = splitLines(text);
  const lineKeys = lines.map((line) => tolerance.key(line.text));
  return findRuns(lineKeys, keys).map((start) => {
    const actual = lines.slice(start, start + given.length);
    const pairs = given.map((line, i) => ({ given: line.text, actual: actual[i]?.text ?? "" }));
    const [first, last] = [actual[0], actual.at(-1)];
    assert(first !== undefined && last !== undefined, "a run has lines");
    const takesEnd = given.at(-1)?.end !== "";
    const wanted = splitLines(edit.newText);
    const renewed = renewLines(
      pairs,
      wanted.map((line) => line.text),
      tolerance.adapterOf(pairs),
    );
    const end = actual.find((line) => line.end !== "")?.end ?? lineEndOf(text) ?? "\n";
    // A file that does not end with a line end goes on doing so.
    const isOpen =
      wanted.length === 0 || wanted.at(-1)?.end === "" || (takesEnd && last.end === "");
    return {
      start: first.at,
      end: last.at + last.text.length + (takesEnd ? last.end.length : 0),
      replacement: renewed.join(end) + (isOpen ? "" : end),
    };
  });
}

/** The wanted lines; those that were given too stay as the file has them. */
function renewLines(
  pairs: readonly LinePair[],
  wanted: readonly string[],
  adapt: Adapter,
): string[] {
  const given = pairs.map((pair) => pair.given);
  const changes = diffArrays(given, [...wanted], { maxEditLength: CHANGED_LINES_MAX }) ?? [
    { added: true, removed: false, value: wanted },
  ];
  const renewed: string[] = [];
  let at = 0;
  let replaced: readonly LinePair[] = [];
  for (const { added, removed, value } of changes) {
    if (added) {
      renewed.push(...value.map((line, i) => adapt(line, replaced[i] ?? null)));
      replaced = [];
      continue;
    }
    const passed = pairs.slice(at, at + value.length);
    at += value.length;
    replaced = removed ? passed : [];
    if (!removed) renewed.push(...passed.map((pair) => pair.actual));
  }
  return renewed;
}
