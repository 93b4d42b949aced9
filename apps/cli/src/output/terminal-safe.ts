/**
 * Texts from elsewhere, made harmless for a terminal: names, prompts and error messages can hold
 * escape sequences that move the cursor, rewrite lines or set the clipboard.
 *
 * Line breaks and tabs become a space; other control characters, and the bidirectional overrides
 * that show a text in another order than it is, become a visible replacement character.
 */
const UNSAFE = /[\p{Cc}\u2028\u2029]|[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu;
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
const UNSAFE_IN_PROSE = /(?![\n\t])\p{Cc}|[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu;
const PROSE_BREAKS = /\r\n|[\r\u0085\u2028\u2029]/g;

export function terminalSafe(text: string): string {
  return text.replaceAll(BREAKS, " ").replaceAll(UNSAFE, "\ufffd");
}

/** Of several lines, such as what a model writes: keeps line breaks and tabs, and nothing else. */
export function proseSafe(text: string): string {
  return text.replaceAll(PROSE_BREAKS, "\n").replaceAll(UNSAFE_IN_PROSE, "\ufffd");
}

/** A template whose inserted values are made harmless: `safe\`Deleted user ${name}.\``. */
export function safe(texts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return String.raw({ raw: texts }, ...values.map((value) => terminalSafe(String(value))));
}
