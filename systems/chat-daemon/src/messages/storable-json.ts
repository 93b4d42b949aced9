/**
 * JSON that Postgres' `jsonb` takes. It has no NUL and no half of a surrogate pair in text, and what
 * models and tools say has both at times: they become the replacement character, so that a step is kept.
 */
export function toStorableJson(value: unknown): string {
  const text = JSON.stringify(value);
  return MAY_BE_REFUSED.test(text) ? JSON.stringify(withoutRefused(value)) : text;
}

/** As JSON.stringify() escapes them, and a pair is not escaped. Escaped backslashes only cost time. */
const MAY_BE_REFUSED = /\\u0000|\\ud[89a-f]/;

function withoutRefused(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (Array.isArray(value)) return value.map(withoutRefused);
  if (typeof value !== "object" || value === null) return value;
  // Also what has a form of its own in JSON, such as dates.
  const plain: unknown = "toJSON" in value ? JSON.parse(JSON.stringify(value)) : value;
  if (typeof plain !== "object" || plain === null) return withoutRefused(plain);
  return Object.fromEntries(
    Object.entries(plain).map(([key, inner]) => [cleanText(key), withoutRefused(inner)]),
  );
}

function cleanText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}
