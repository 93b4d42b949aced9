/**
 * Text that providers and the database take: halves of surrogate pairs and zero characters become
 * U+FFFD, also inside JSON.
 */
export function toValidText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

/** The same value when nothing was wrong with it. */
export function toValidJson<Value>(value: Value): Value {
  return repair(value) as Value; // Only strings inside change, to strings.
}

function repair(value: unknown): unknown {
  if (typeof value === "string") return toValidText(value);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const repaired = items.map(repair);
    return repaired.some((item, index) => item !== items[index]) ? repaired : value;
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  const entries = Object.entries(value);
  const repaired = entries.map(([key, item]) => [toValidText(key), repair(item)] as const);
  const isSame = repaired.every(
    ([key, item], index) => key === entries[index]?.[0] && item === entries[index]?.[1],
  );
  return isSame ? value : Object.fromEntries(repaired);
}
