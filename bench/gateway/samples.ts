/** The figures of a run, by name, lane and round. */
import { differences, figureOf, ratios, type Figure } from "../figures.ts";

/** figure → lane → one value for each round; NaN where that round failed. */
export type Samples = Map<string, Map<string, number[]>>;

export function addSample(
  samples: Samples,
  {
    figure,
    lane,
    round,
    value,
  }: {
    readonly figure: string;
    readonly lane: string;
    /** From 0. */
    readonly round: number;
    readonly value: number;
  },
): void {
  const byLane = samples.get(figure) ?? new Map<string, number[]>();
  samples.set(figure, byLane);
  const values = byLane.get(lane) ?? [];
  byLane.set(lane, values);
  while (values.length < round) values.push(Number.NaN);
  values[round] = value;
}

export function valuesIn(samples: Samples, lane: string, figure: string): readonly number[] {
  return samples.get(figure)?.get(lane) ?? [];
}

export function figureIn(samples: Samples, lane: string, figure: string): Figure | null {
  return figureOf(valuesIn(samples, lane, figure));
}

export function ratioTo(
  samples: Samples,
  lane: string,
  other: string,
  figure: string,
): readonly number[] {
  return ratios(valuesIn(samples, lane, figure), valuesIn(samples, other, figure));
}

/** What the lane adds to having nothing in between. */
export function addedTo(samples: Samples, lane: string, figure: string): readonly number[] {
  return differences(valuesIn(samples, lane, figure), valuesIn(samples, "direct", figure));
}

/** For the file of raw results. */
export function toPlain(samples: Samples): object {
  return Object.fromEntries(
    [...samples].map(([figure, byLane]) => [figure, Object.fromEntries(byLane)]),
  );
}
