/** For a piece of text that was not found: which lines of the file come closest, and how they differ. */
import { TOLERANT_LINES_MAX } from "./apply-edit.ts";
import { hasMoreLines, splitLines } from "./text-lines.ts";

/** Lines this frequent, such as a closing brace, point nowhere. */
const FREQUENT_LINES = 64;
const COMPARED_LINES_MAX = 20_000;
const COMPARED_CHARACTERS_MAX = 400;
const SHOWN_CHARACTERS_MAX = 160;
/** Less alike than this is no hint but noise. */
const LIKENESS_MIN = 0.5;

/** One or two sentences, or empty where nothing comes close. */
export function hintAtClosest(text: string, oldText: string): string {
  if (hasMoreLines(text, TOLERANT_LINES_MAX)) return "";
  const lines = splitLines(text).map((line) => line.text);
  const wanted = splitLines(oldText).map((line) => line.text);
  const start = findByCommonLines(lines, wanted);
  if (start !== null) return describe(lines, wanted, start);
  return findByLikeness(lines, wanted);
}

/** Each line that stands in both votes for where the piece would begin. */
function findByCommonLines(lines: readonly string[], wanted: readonly string[]): number | null {
  const places = new Map<string, number[]>();
  for (const [i, line] of lines.entries()) {
    const key = line.trim();
    if (key === "") continue;
    const at = places.get(key) ?? [];
    if (at.length <= FREQUENT_LINES) at.push(i);
    places.set(key, at);
  }
  const votes = new Map<number, number>();
  for (const [j, line] of wanted.entries()) {
    const at = places.get(line.trim()) ?? [];
    if (at.length > FREQUENT_LINES) continue;
    for (const i of at) votes.set(i - j, (votes.get(i - j) ?? 0) + 1);
  }
  let best: { readonly start: number; readonly count: number } | null = null;
  for (const [start, count] of votes) {
    if (best === null || count > best.count) best = { start, count };
  }
  return best === null ? null : best.start;
}

function describe(lines: readonly string[], wanted: readonly string[], start: number): string {
  const [from, to] = [Math.max(0, start), Math.min(lines.length, start + wanted.length)];
  const where = `Lines ${from + 1}–${to} come closest`;
  const differing = wanted.findIndex((line, j) => lines[start + j]?.trim() !== line.trim());
  const actual = lines[start + differing];
  if (differing === -1) return `${where}.`;
  if (actual === undefined) return `${where}, but the file ends or begins there.`;
  const expected = quote(wanted[differing] ?? "");
  return `${where}: line ${start + differing + 1} is ${quote(actual)}, and oldText has ${expected}.`;
}

function findByLikeness(lines: readonly string[], wanted: readonly string[]): string {
  const sought = wanted.find((line) => line.trim() !== "")?.trim() ?? "";
  const pairs = pairsOf(sought);
  let best = { likeness: LIKENESS_MIN, i: -1 };
  for (const [i, line] of lines.slice(0, COMPARED_LINES_MAX).entries()) {
    const likeness = likenessOf(pairs, pairsOf(line.trim()));
    if (likeness > best.likeness) best = { likeness, i };
  }
  const closest = lines[best.i];
  if (closest === undefined) return "";
  return `Line ${best.i + 1} comes closest: it is ${quote(closest)}, and oldText has ${quote(sought)}.`;
}

/** Two neighbouring characters, each pair once. */
function pairsOf(line: string): Set<string> {
  const pairs = new Set<string>();
  const end = Math.min(line.length, COMPARED_CHARACTERS_MAX) - 1;
  for (let i = 0; i < end; i += 1) pairs.add(line.slice(i, i + 2));
  return pairs;
}

/** From 0 to 1: the pairs in common, out of all (Dice). */
function likenessOf(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (a.size + b.size === 0) return 0;
  let common = 0;
  for (const pair of a) if (b.has(pair)) common += 1;
  return (2 * common) / (a.size + b.size);
}

function quote(line: string): string {
  const text = line.trim();
  const isLong = text.length > SHOWN_CHARACTERS_MAX;
  return JSON.stringify(isLong ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text);
}
