/** Numbers as people type them. */

export const NOT_A_NUMBER = "Write a number, as 4096 or 0.7.";

/** Null: it is none. `Number` itself takes more than people mean by one, as `0x10`, `1e3` and nothing. */
export function typedNumber(text: string): number | null {
  const typed = text.trim();
  return /^-?\d+(?:\.\d+)?$/.test(typed) ? Number(typed) : null;
}
