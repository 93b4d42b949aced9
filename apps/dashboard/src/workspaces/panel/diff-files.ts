/**
 * A unified diff of git as files, hunks and numbered lines. Pure. What is cut in the middle is read as
 * far as it goes; what is not understood is left out, and nothing of it is taken for something else.
 */

export type DiffLine = {
  readonly kind: "context" | "added" | "removed";
  /** Line numbers before and after. Null: it is not there. */
  readonly before: number | null;
  readonly after: number | null;
  readonly text: string;
};

export type DiffHunk = { readonly head: string; readonly lines: readonly DiffLine[] };

export type DiffFile = {
  readonly path: string;
  /** Where a renamed file was. */
  readonly from: string | null;
  readonly change: "changed" | "added" | "deleted" | "renamed";
  readonly isBinary: boolean;
  readonly hunks: readonly DiffHunk[];
  readonly added: number;
  readonly removed: number;
};

const FILE_HEAD = "diff --git ";
const HUNK_HEAD = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

export function parseDiff(diff: string): readonly DiffFile[] {
  const lines = diff.split("\n");
  const files: DiffFile[] = [];
  let at = 0;
  while (at < lines.length) {
    if (!lineAt(lines, at).startsWith(FILE_HEAD)) {
      at += 1;
      continue;
    }
    const read = readFile(lines, at);
    files.push(read.file);
    at = read.next;
  }
  return files;
}

function lineAt(lines: readonly string[], at: number): string {
  return lines[at] ?? "";
}

type Names = { old: string | null; new: string | null };

function readFile(
  lines: readonly string[],
  start: number,
): { readonly file: DiffFile; readonly next: number } {
  const names: Names = bothNames(lineAt(lines, start).slice(FILE_HEAD.length));
  let change: DiffFile["change"] = "changed";
  let isBinary = false;
  const hunks: DiffHunk[] = [];
  let at = start + 1;
  for (; at < lines.length;) {
    const line = lineAt(lines, at);
    if (line.startsWith(FILE_HEAD)) break;
    if (HUNK_HEAD.test(line)) {
      const read = readHunk(lines, at);
      hunks.push(read.hunk);
      at = read.next;
      continue;
    }
    if (line.startsWith("new file mode")) change = "added";
    else if (line.startsWith("deleted file mode")) change = "deleted";
    else if (line.startsWith("rename from ")) {
      change = "renamed";
      names.old = unquote(line.slice("rename from ".length));
    } else if (line.startsWith("rename to ")) names.new = unquote(line.slice("rename to ".length));
    else if (/^Binary files .* differ$/.test(line) || line === "GIT binary patch") isBinary = true;
    else if (line.startsWith("--- ")) names.old = sideName(line) ?? names.old;
    else if (line.startsWith("+++ ")) names.new = sideName(line) ?? names.new;
    at += 1;
  }
  const counted = hunks.flatMap((hunk) => hunk.lines);
  const file = {
    path: (change === "deleted" ? names.old : names.new) ?? names.old ?? "",
    from: change === "renamed" ? names.old : null,
    ...{ change, isBinary, hunks },
    added: counted.filter(({ kind }) => kind === "added").length,
    removed: counted.filter(({ kind }) => kind === "removed").length,
  };
  return { file, next: at };
}

/** Its head says how many lines belong to it: what they look like does not matter. */
function readHunk(
  lines: readonly string[],
  start: number,
): { readonly hunk: DiffHunk; readonly next: number } {
  const head = lineAt(lines, start);
  const [, oldStart = "0", oldCount = "1", newStart = "0", newCount = "1"] =
    HUNK_HEAD.exec(head) ?? [];
  let [before, after] = [Number(oldStart), Number(newStart)];
  const [beforeEnd, afterEnd] = [before + Number(oldCount), after + Number(newCount)];
  const read: DiffLine[] = [];
  let at = start + 1;
  while (at < lines.length && (before < beforeEnd || after < afterEnd)) {
    const line = lineAt(lines, at);
    const text = line.slice(1);
    if (line.startsWith("+")) read.push({ kind: "added", before: null, after: after++, text });
    else if (line.startsWith("-")) {
      read.push({ kind: "removed", before: before++, after: null, text });
    } else if (line.startsWith(" ")) {
      read.push({ kind: "context", before: before++, after: after++, text });
    } else if (!line.startsWith("\\")) break; // Cut here.
    at += 1;
  }
  return { hunk: { head, lines: read }, next: at };
}

/** Of `a/name b/name`, which is not renamed: both halves are the same. Others are named again below. */
function bothNames(text: string): Names {
  if (text.startsWith('"')) {
    const first = /^"(?:[^"\\]|\\.)*"/.exec(text)?.[0] ?? text;
    const name = withoutSide(unquote(first));
    return { old: name, new: name };
  }
  const half = (text.length - 1) / 2;
  const name = withoutSide(text.slice(0, Math.floor(half)));
  return { old: name, new: name };
}

/** Of `--- a/name` and `+++ b/name`. Null: nothing is on that side. */
function sideName(line: string): string | null {
  const name = line.slice("+++ ".length).replace(/\t$/, "");
  return name === "/dev/null" ? null : withoutSide(unquote(name));
}

function withoutSide(name: string): string {
  return name.replace(/^[ab]\//, "");
}

const SHORT_ESCAPES: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
};

/** Names with unusual characters stand in quotes, byte by byte where need be. */
function unquote(name: string): string {
  if (!name.startsWith('"') || !name.endsWith('"')) return name;
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (const [part] of name.slice(1, -1).matchAll(/\\[0-7]{3}|\\.|[^\\]+/g)) {
    if (!part.startsWith("\\")) bytes.push(...encoder.encode(part));
    else if (part.length === 4) bytes.push(Number.parseInt(part.slice(1), 8));
    else bytes.push(SHORT_ESCAPES[part.charAt(1)] ?? part.charCodeAt(1));
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

export type SideBySideRow = {
  readonly before: DiffLine | null;
  readonly after: DiffLine | null;
};

/** Removed lines stand beside the added ones that follow them. */
export function sideBySide(lines: readonly DiffLine[]): readonly SideBySideRow[] {
  const rows: SideBySideRow[] = [];
  let removed: DiffLine[] = [];
  let added: DiffLine[] = [];
  const flush = (): void => {
    for (let at = 0; at < Math.max(removed.length, added.length); at += 1) {
      rows.push({ before: removed[at] ?? null, after: added[at] ?? null });
    }
    [removed, added] = [[], []];
  };
  for (const line of lines) {
    if (line.kind === "context") {
      flush();
      rows.push({ before: line, after: line });
    } else if (line.kind === "added") added.push(line);
    else {
      if (added.length > 0) flush();
      removed.push(line);
    }
  }
  flush();
  return rows;
}
