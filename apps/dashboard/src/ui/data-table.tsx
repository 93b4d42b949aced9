/** Rows of one kind. On a phone the minor columns are left out; the rest scrolls inside its own frame. */
import type { ReactNode } from "react";

export type Column<Row> = {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** Left out where there is little room. */
  readonly isMinor?: boolean;
  readonly isNumber?: boolean;
  /** Buttons: the head says nothing. */
  readonly isActions?: boolean;
};

type DataTableProps<Row> = {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly columns: readonly Column<Row>[];
};

export function DataTable<Row>({ label, rows, rowKey, columns }: DataTableProps<Row>) {
  const look = ({ isMinor, isNumber, isActions }: Column<Row>): string =>
    `px-3 py-2 ${isMinor ? "hidden md:table-cell" : ""} ${isNumber ? "text-right tabular-nums" : ""} ${isActions ? "text-right" : ""}`;
  return (
    <section
      aria-label={label}
      className="relative overflow-x-auto rounded-lg border border-line bg-surface"
      // What scrolls must be reachable by keyboard.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      <table className="w-full text-left">
        <thead className="border-b border-line text-xs text-muted">
          <tr>
            {columns.map((column) => (
              <th className={`${look(column)} font-medium`} key={column.title} scope="col">
                {column.isActions ? <span className="sr-only">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr className="border-b border-line align-middle last:border-0" key={rowKey(row)}>
              {columns.map((column) => (
                <td className={look(column)} key={column.title}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
