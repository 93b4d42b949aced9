/** Sums of usage as a table for spreadsheets: the server's export and the CLI's are the same bytes. */
import type { UsageDimension, UsageRow } from "./http/ai-costs.ts";

const COUNTS = [
  "requests",
  "errors",
  "input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_write_input_tokens",
] as const;

/** RFC 4180. Cells that a spreadsheet would take for a formula begin with an apostrophe. */
export function usageCsv(rows: readonly UsageRow[], dimensions: readonly UsageDimension[]): string {
  const head = [...dimensions, ...COUNTS, "cost_usd", "unpriced_requests"];
  const lines = rows.map((row) => [
    ...dimensions.map((dimension) => cellOf(row, dimension)),
    ...COUNTS.map((count) => String(row[count])),
    row.cost_micros === null ? "" : dollars(row.cost_micros),
    String(row.unpriced_requests),
  ]);
  return [head, ...lines].map((cells) => `${cells.map(toCell).join(",")}\r\n`).join("");
}

function cellOf(row: UsageRow, dimension: UsageDimension): string {
  if (dimension !== "user") return row[dimension] ?? "";
  return row.user?.username || (row.user?.id ?? "");
}

/** Exact, unlike a division. */
export function dollars(micros: number): string {
  const digits = String(Math.abs(micros)).padStart(7, "0");
  return `${micros < 0 ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

function toCell(given: string): string {
  // Clients choose names: what steers a terminal has no place in one.
  const text = given.replaceAll(/\p{Cc}/gu, " ");
  const isFormula = /^[=+\-@]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text);
  const safe = isFormula ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
