/** Reads unified diffs, to show their lines with numbers. What is none is shown as it is. */

export type DiffLine = {
  readonly kind: "added" | "removed" | "same" | "hunk" | "note";
  /** Without the sign before it. */
  readonly text: string;
  /** In the file before and after; null where the line is not in it. */
  readonly before: number | null;
  readonly after: number | null;
};

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

export function diffLines(diff: string): readonly DiffLine[] {
  const lines: DiffLine[] = [];
  let before = 0;
  let after = 0;
  let isInHunk = false;
  for (const line of diff.replace(/\n$/, "").split("\n")) {
    const [, from, to] = HUNK.exec(line) ?? [];
    if (from !== undefined && to !== undefined) {
      before = Number(from);
      after = Number(to);
      isInHunk = true;
      lines.push({ kind: "hunk", text: line, before: null, after: null });
    } else if (!isInHunk) {
      // The names of the files stand above already.
      if (/^(?:---|\+\+\+|diff |index )/.test(line)) continue;
      if (line !== "") lines.push({ kind: "note", text: line, before: null, after: null });
    } else if (line.startsWith("+")) {
      lines.push({ kind: "added", text: line.slice(1), before: null, after });
      after += 1;
    } else if (line.startsWith("-")) {
      lines.push({ kind: "removed", text: line.slice(1), before, after: null });
      before += 1;
    } else if (line.startsWith("\\")) {
      lines.push({ kind: "note", text: line.slice(2), before: null, after: null });
    } else {
      lines.push({ kind: "same", text: line.slice(1), before, after });
      before += 1;
      after += 1;
    }
  }
  return lines;
}

/** A replacement whose place in the file is not known: all of the old, then all of the new. */
export function replacementLines(before: string, after: string): readonly DiffLine[] {
  const toLines = (text: string, kind: "added" | "removed"): readonly DiffLine[] =>
    text === ""
      ? []
      : text
          .replace(/\n$/, "")
          .split("\n")
          .map((line) => ({ kind, text: line, before: null, after: null }));
  return [...toLines(before, "removed"), ...toLines(after, "added")];
}

/** `+12 −3` */
export function diffCount(lines: readonly DiffLine[]): {
  readonly added: number;
  readonly removed: number;
} {
  return {
    added: lines.filter(({ kind }) => kind === "added").length,
    removed: lines.filter(({ kind }) => kind === "removed").length,
  };
}
