/** The query part of our own addresses: plain names and texts, so that they can be read and typed. */

export type SearchTexts = Readonly<Record<string, string>>;

export function parseSearchTexts(search: string): SearchTexts {
  return Object.fromEntries(new URLSearchParams(search));
}

/** With the question mark, or empty. What is empty is left out. */
export function formatSearchTexts(search: Readonly<Record<string, unknown>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === "string" && value !== "") params.set(name, value);
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}
