/**
 * Medians with their spread, and comparisons that say when a difference is noise.
 *
 * The spread is the median absolute deviation: on a busy machine one bad round moves the lowest and
 * the highest value, not this.
 */
export type Figure = {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Median of the distances from the median. */
  readonly deviation: number;
  readonly rounds: number;
};

/** Three median deviations are about two standard deviations of a bell curve. */
const NOISE_DEVIATIONS = 3;
/** Fewer say nothing about their own spread. */
const ROUNDS_MIN_TO_JUDGE = 3;

/** Null: nothing was measured. */
export function figureOf(values: readonly number[]): Figure | null {
  const sorted = values.filter((value) => Number.isFinite(value)).toSorted((a, b) => a - b);
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined) return null;
  const median = medianOf(sorted);
  const distances = sorted.map((value) => Math.abs(value - median)).toSorted((a, b) => a - b);
  return { median, low, high, deviation: medianOf(distances), rounds: sorted.length };
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Round by round, because what disturbs one lane in a round disturbs its neighbours too. */
export function ratios(ours: readonly number[], theirs: readonly number[]): readonly number[] {
  return ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
}

export function differences(ours: readonly number[], theirs: readonly number[]): readonly number[] {
  return ours.map((value, round) => value - (theirs[round] ?? Number.NaN));
}

/** Whether rounds so spread cannot tell the figure from this value. Null: too few rounds to judge. */
export function isWithinNoise({ median, deviation, rounds }: Figure, of: number): boolean | null {
  if (rounds < ROUNDS_MIN_TO_JUDGE) return null;
  return Math.abs(median - of) <= NOISE_DEVIATIONS * deviation;
}

/** `12.3 ±0.4`: the median and the median deviation. */
export function figureText(figure: Figure | null): string {
  if (figure === null) return "–";
  const { median, deviation, rounds } = figure;
  return rounds === 1 ? numberText(median) : `${numberText(median)} ±${numberText(deviation)}`;
}

/** `0.48`, or `1.02 (within noise)` when it may as well be 1. */
export function ratioText(figure: Figure | null): string {
  if (figure === null) return "–";
  const text = figure.median.toFixed(2);
  return isWithinNoise(figure, 1) === true ? `${text} (within noise)` : text;
}

/** `140 ±12`, or `3 ±9 (within noise)` when it may as well be nothing. */
export function differenceText(figure: Figure | null): string {
  const text = figureText(figure);
  return figure !== null && isWithinNoise(figure, 0) === true ? `${text} (within noise)` : text;
}

/** Three digits that count, which is more than a shared machine can give. */
export function numberText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

/** A Markdown table. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map(line)].join(
    "\n",
  );
}

/** Kilobytes per minute and such: the straight line that fits best, as units of y per unit of x. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (pick: 0 | 1): number =>
    points.reduce((total, point) => total + point[pick], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let [above, below] = [0, 0];
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return below === 0 ? 0 : above / below;
}
