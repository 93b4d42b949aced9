/** Texts from clients and models, made fit for Postgres and cut to a limit. */

/** Of one stored prompt, tool input, thought or error; longer ones are cut. */
export const USAGE_TEXT_BYTES_MAX = 256 * 1_024;
/** Of a name that comes from outside: a model, a client, a session id. Indexes hold no long ones. */
export const USAGE_NAME_CHARS_MAX = 256;
/** Of the prompt that a session's row shows. */
export const LAST_PROMPT_CHARS_MAX = 1_000;

/**
 * Postgres text holds neither U+0000 nor half of a surrogate pair: both become U+FFFD. A text above
 * the limit loses its end, at a whole character.
 */
export function storableText(text: string, bytesMax = USAGE_TEXT_BYTES_MAX): string {
  const clean = storable(text);
  // A UTF-16 unit becomes at most three bytes.
  if (clean.length * 3 <= bytesMax) return clean;
  const bytes = Buffer.from(clean, "utf8");
  if (bytes.length <= bytesMax) return clean;
  let end = bytesMax;
  while (((bytes[end] ?? 0) & 0b1100_0000) === 0b1000_0000) end -= 1;
  return bytes.toString("utf8", 0, end);
}

export function storableName(text: string): string {
  return firstChars(storable(text), USAGE_NAME_CHARS_MAX);
}

/** Counts UTF-16 units, and leaves no half of a pair at the end. */
export function firstChars(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const cut = text.slice(0, charsMax);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

function storable(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.includes("\0") ? wellFormed.replaceAll("\0", "\u{fffd}") : wellFormed;
}
