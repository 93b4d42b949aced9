/** Usage by day as a chart draws it: the largest of what was asked for each by itself, all others together. */
import type { UsageDimension, UsageRow } from "@atelier/contract/http/ai-costs";

export const USAGE_MEASURES = [
  { value: "cost", label: "Cost" },
  { value: "tokens", label: "Tokens" },
  { value: "requests", label: "Requests" },
] as const;
export type UsageMeasure = (typeof USAGE_MEASURES)[number]["value"];

type Totals = Pick<
  UsageRow,
  | "requests"
  | "cost_micros"
  | "input_tokens"
  | "output_tokens"
  | "cache_read_input_tokens"
  | "cache_write_input_tokens"
>;

export function measured(totals: Totals, measure: UsageMeasure): number {
  switch (measure) {
    case "cost":
      return totals.cost_micros ?? 0;
    case "tokens":
      return (
        totals.input_tokens +
        totals.output_tokens +
        totals.cache_read_input_tokens +
        totals.cache_write_input_tokens
      );
    case "requests":
      return totals.requests;
  }
}

/** What a row is of, in the words of a legend. */
export function nameOfRow(row: UsageRow, by: UsageDimension): string {
  const name = { ...row, user: row.user?.username ?? null }[by];
  return name === null || name === "" ? "unknown" : name;
}

export type UsageSeries = {
  readonly name: string;
  readonly total: number;
  /** One for each day of the chart. */
  readonly values: readonly number[];
};

export const SERIES_MAX = 6;

/** The largest first, and at the end what is left. Rows are by day and by `by`. */
export function seriesOf(
  rows: readonly UsageRow[],
  days: readonly string[],
  { by, measure }: { readonly by: UsageDimension; readonly measure: UsageMeasure },
): readonly UsageSeries[] {
  const byName = new Map<string, number[]>();
  const places = new Map(days.map((day, index) => [day, index]));
  for (const row of rows) {
    const place = places.get(row.day ?? "");
    const value = measured(row, measure);
    if (place === undefined || value === 0) continue;
    const name = nameOfRow(row, by);
    const values = byName.get(name) ?? days.map(() => 0);
    values[place] = (values[place] ?? 0) + value;
    byName.set(name, values);
  }
  const all = [...byName]
    .map(([name, values]) => ({ name, values, total: sumOf(values) }))
    .toSorted((a, b) => b.total - a.total || (a.name < b.name ? -1 : 1));
  if (all.length <= SERIES_MAX + 1) return all;
  const others = all.slice(SERIES_MAX);
  const values = days.map((_, index) => sumOf(others.map((each) => each.values[index] ?? 0)));
  const rest = { name: `${others.length} others`, values, total: sumOf(values) };
  return [...all.slice(0, SERIES_MAX), rest];
}

/** A round number that is not below: 1, 2 or 5 with noughts. */
export function niceMax(value: number): number {
  if (value <= 0) return 1;
  const step = 10 ** Math.floor(Math.log10(value));
  const nice = [1, 2, 5, 10].find((factor) => factor * step >= value) ?? 10;
  return nice * step;
}

export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
