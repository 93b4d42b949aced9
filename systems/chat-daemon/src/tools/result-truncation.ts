/**
 * Keeps what a tool returns within the model's context: too much of it becomes its beginning and its
 * end, and a word on how much is missing between (spec agents 6.9).
 */
const BUDGET_BYTES_MIN = 16 * 1024;
const BUDGET_BYTES_UNKNOWN = 64 * 1024;
const MARKER_BYTES = 256;

/** A third of the context, at three bytes a token. */
export function resultBudgetBytes(contextLimit: number | null): number {
  if (contextLimit === null) return BUDGET_BYTES_UNKNOWN;
  return Math.max(BUDGET_BYTES_MIN, Math.floor(contextLimit / 3) * 3);
}

/** Never splits a character. */
export function truncateText(text: string, budgetBytes: number): string {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.byteLength <= budgetBytes) return text;
  const kept = Math.max(0, budgetBytes - MARKER_BYTES);
  const headEnd = characterStart(bytes, Math.floor((kept * 2) / 3));
  const tailStart = characterStart(
    bytes,
    bytes.byteLength - (kept - Math.floor((kept * 2) / 3)),
    1,
  );
  const removed = tailStart - headEnd;
  const head = bytes.subarray(0, headEnd).toString("utf8");
  const tail = bytes.subarray(tailStart).toString("utf8");
  return `${head}\n\n[… ${removed} bytes of this result were removed …]\n\n${tail}`;
}

/** Any JSON: its longest texts are cut first, and where that is not enough, all of it as text. */
export function truncateJson(value: unknown, budgetBytes: number): unknown {
  if (typeof value === "string") return truncateText(value, budgetBytes);
  const size = bytesOf(value);
  if (size <= budgetBytes) return value;
  const longest = longestText(value, []);
  if (longest === null) return truncateText(JSON.stringify(value), budgetBytes);
  const shorter = Buffer.byteLength(longest.text) - (size - budgetBytes);
  if (shorter < MARKER_BYTES * 2) return truncateText(JSON.stringify(value), budgetBytes);
  const cut = replaced(value, longest.path, truncateText(longest.text, shorter));
  return bytesOf(cut) <= budgetBytes ? cut : truncateText(JSON.stringify(cut), budgetBytes);
}

/** The first byte of a character at or before `index`, or with `step` 1 at or after it. */
function characterStart(bytes: Buffer, index: number, step: 1 | -1 = -1): number {
  let at = index;
  while (at > 0 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at += step;
  return at;
}

type Found = { readonly path: readonly string[]; readonly text: string };

function longestText(value: unknown, path: readonly string[]): Found | null {
  if (typeof value === "string") return { path, text: value };
  if (typeof value !== "object" || value === null) return null;
  const found = Object.entries(value).map(([key, item]) => longestText(item, [...path, key]));
  return found
    .filter((each) => each !== null)
    .reduce<Found | null>(
      (best, each) => (best === null || each.text.length > best.text.length ? each : best),
      null,
    );
}

function replaced(value: unknown, [key, ...rest]: readonly string[], text: string): unknown {
  if (key === undefined) return text;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.map((item, index) => (String(index) === key ? replaced(item, rest, text) : item));
  }
  const record = value as Readonly<Record<string, unknown>>; // `longestText` came this way.
  return { ...record, [key]: replaced(record[key], rest, text) };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}
