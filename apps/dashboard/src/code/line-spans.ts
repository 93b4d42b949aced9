/** Lines that are read as one code, and the parts of it in each of them. */
import type { CodeSpan } from "./code-kinds.ts";

/** As one text. */
export function joinedLines(lines: readonly string[]): string {
  return lines.join("\n");
}

export type LineSpan = CodeSpan & { readonly line: number };

/** The parts of `joinedLines(lines)` within its lines: one that goes over several is one in each. */
export function lineSpans(
  lines: readonly string[],
  spans: readonly CodeSpan[],
): readonly LineSpan[] {
  const found: LineSpan[] = [];
  let line = 0;
  let begin = 0;
  for (const { from, to, kind } of spans) {
    while (line < lines.length && begin + (lines[line]?.length ?? 0) < from) {
      begin += (lines[line]?.length ?? 0) + 1;
      line += 1;
    }
    for (let at = line, start = begin; at < lines.length && start < to; at += 1) {
      const length = lines[at]?.length ?? 0;
      const inLine = { from: Math.max(0, from - start), to: Math.min(length, to - start) };
      if (inLine.from < inLine.to) found.push({ line: at, ...inLine, kind });
      start += length + 1;
    }
  }
  return found;
}
