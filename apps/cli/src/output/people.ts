/**
 * What people read: tables, lists of fields, failures.
 *
 * Every text given to this file is made harmless for the terminal here, so commands hand over what
 * the server said as it is. A table fits the terminal's width by cutting columns that may be cut;
 * in a pipe nothing is cut.
 */
import Table from "cli-table3";
import type picocolors from "picocolors";
import type { CliFailure } from "../cli-failure.ts";
import { relativeTime } from "./relative-time.ts";
import { terminalSafe } from "./terminal-safe.ts";

export type Look = {
  /** Null: not a terminal, so there is no width to keep. */
  readonly columns: number | null;
  readonly colors: Omit<typeof picocolors, "createColors">;
  readonly now: Date;
};

export type Tone = "good" | "bad" | "faint" | "plain";
export type Cell = string | { readonly text: string; readonly tone: Tone };

export type Column = {
  readonly title: string;
  /** What must stay whole, such as an id that people copy. */
  readonly isWhole?: boolean;
  readonly align?: "right";
};

const GAP = 2;
/** A cut column keeps at least this much. */
const CUT_WIDTH_MIN = 8;
const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });

export function table(
  look: Look,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): string {
  const texts = rows.map((row) => row.map(textOf));
  const widths = fit(look.columns, columns, texts);
  const grid = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
    head: columns.map(({ title }) => look.colors.bold(title)),
    colWidths: widths.map((width) => (width === null ? null : width + GAP)),
    colAligns: columns.map(({ align }) => align ?? "left"),
    truncate: "…",
  });
  for (const row of rows) grid.push(row.map((cell) => painted(look, cell)));
  return withoutTrailingSpace(grid.toString());
}

/** Name and value, one pair per line. */
export function fields(look: Look, pairs: readonly (readonly [string, Cell])[]): string {
  const nameWidth = Math.max(...pairs.map(([name]) => name.length)) + GAP;
  return pairs
    .map(([name, cell]) => look.colors.bold(name.padEnd(nameWidth)) + painted(look, cell))
    .map((line) => line.trimEnd())
    .join("\n");
}

export function heading(look: Look, text: string): string {
  return look.colors.bold(terminalSafe(text));
}

/** `never` for null. */
export function since(look: Look, isoTime: string | null): Cell {
  return isoTime === null ? faint("never") : relativeTime(isoTime, look.now);
}

export function faint(text: string): Cell {
  return { text, tone: "faint" };
}

/** A dash where there is nothing. */
export function orDash(text: string | null): Cell {
  return text === null || text === "" ? faint("-") : text;
}

export function compactNumber(value: number): string {
  return COMPACT.format(value);
}

export function failureText(look: Look, failure: CliFailure): string {
  // Whoever cancels did not run into an error.
  if (failure.code === "cli.cancelled") return terminalSafe(failure.message);
  const lines = [`${look.colors.red("Error:")} ${terminalSafe(failure.message)}`];
  if (failure.detail !== null) lines.push(`  ${terminalSafe(failure.detail)}`);
  for (const { field, detail } of failure.validations) {
    lines.push(`  ${terminalSafe(field)}: ${terminalSafe(detail)}`);
  }
  if (failure.remedy !== null) lines.push(`  ${terminalSafe(failure.remedy)}`);
  if (failure.requestId !== null) lines.push(`  Request id: ${terminalSafe(failure.requestId)}`);
  return lines.join("\n");
}

const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};

function textOf(cell: Cell): string {
  return terminalSafe(typeof cell === "string" ? cell : cell.text);
}

function painted(look: Look, cell: Cell): string {
  const text = textOf(cell);
  if (typeof cell === "string") return text;
  switch (cell.tone) {
    case "good":
      return look.colors.green(text);
    case "bad":
      return look.colors.red(text);
    case "faint":
      return look.colors.dim(text);
    case "plain":
      return text;
  }
}

/** The rows that a text without line breaks takes on a terminal of this width; at least one. */
export function rowsOf(text: string, columns: number): readonly string[] {
  const rows: string[] = [];
  let row = "";
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    const taken = displayWidth(segment);
    if (width + taken > columns) {
      rows.push(row);
      row = "";
      width = 0;
    }
    row += segment;
    width += taken;
  }
  return [...rows, row];
}

/** The widths of columns that must be cut; null for the others. */
function fit(
  available: number | null,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): (number | null)[] {
  const natural = columns.map(({ title }, index) =>
    rows.reduce(
      (width, row) => Math.max(width, displayWidth(row[index] ?? "")),
      displayWidth(title),
    ),
  );
  if (available === null) return natural.map(() => null);
  const widths = [...natural];
  const gaps = GAP * (columns.length - 1);
  let excess = widths.reduce((sum, width) => sum + width, gaps) - available;
  while (excess > 0) {
    let widest = -1;
    for (const [index, column] of columns.entries()) {
      const width = widths[index] ?? 0;
      if (column.isWhole === true || width <= Math.max(CUT_WIDTH_MIN, column.title.length))
        continue;
      if (widest === -1 || width > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths.map((width, index) => (width === natural[index] ? null : width));
}

/** Columns that a text takes on a terminal: East Asian letters and emoji take two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    const isWide =
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u.test(
        segment,
      );
    width += isWide ? 2 : 1;
  }
  return width;
}

function withoutTrailingSpace(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
