/** Medians with their spread, and ratios that say when a difference is noise. */
export type Figure = { readonly median: number; readonly low: number; readonly high: number };

export function figureOf(values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return { median: at(0.5), low: at(0), high: at(1) };
}

/** `1.23`, or `1.02 (noise)` when the two spreads overlap. */
export function ratioText(ours: Figure, theirs: Figure): string {
  const ratio = (ours.median / theirs.median).toFixed(2);
  const overlap = ours.low <= theirs.high && theirs.low <= ours.high;
  return overlap ? `${ratio} (noise)` : ratio;
}

export function figureText({ median, low, high }: Figure): string {
  const digits = median < 100 ? 1 : 0;
  return `${median.toFixed(digits)} [${low.toFixed(digits)}–${high.toFixed(digits)}]`;
}

/** A Markdown table. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map(line)].join(
    "\n",
  );
}
