/** The figures of the chart as a table, the latest day first; days without usage are left out. */
import { DataTable, type Column } from "../ui/data-table.tsx";
import { dayText } from "./usage-chart.tsx";
import { sumOf, type UsageSeries } from "./usage-series.ts";

type UsageDaysProps = {
  readonly days: readonly string[];
  readonly series: readonly UsageSeries[];
  readonly format: (value: number) => string;
};

type Row = { readonly day: string; readonly index: number; readonly total: number };

export function UsageDays({ days, series, format }: UsageDaysProps) {
  const rows = days
    .map((day, index): Row => ({
      day,
      index,
      total: sumOf(series.map(({ values }) => values[index] ?? 0)),
    }))
    .filter(({ total }) => total > 0)
    .toReversed();
  const columns: readonly Column<Row>[] = [
    { title: "Day", cell: ({ day }) => <span className="whitespace-nowrap">{dayText(day)}</span> },
    { title: "All", isNumber: true, cell: ({ total }) => format(total) },
    ...series.map(({ name, values }): Column<Row> => ({
      title: name,
      isNumber: true,
      cell: ({ index }) => format(values[index] ?? 0),
    })),
  ];
  return (
    <details className="mt-4">
      <summary className="text-muted">The same as a table</summary>
      <div className="mt-2">
        <DataTable columns={columns} label="By day" rowKey={({ day }) => day} rows={rows} />
      </div>
    </details>
  );
}
