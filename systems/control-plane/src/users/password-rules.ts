/**
 * Which passwords are accepted (NIST SP 800-63B §5.1.1.2: length and guessability, no required
 * kinds of characters). Refused: shorter than 8 or longer than 256 characters; the best-known
 * passwords; the user's own names; few different characters; runs such as `12345678` or `qwertzui`.
 */
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "@atelier/contract/http/users";
import { COMMON_PASSWORDS } from "./common-passwords.ts";

const DIFFERENT_CHARACTERS_MIN = 4;
/** Rows that people run their fingers along. */
const ROWS = [
  "abcdefghijklmnopqrstuvwxyz",
  "0123456789",
  "qwertyuiop",
  "qwertzuiop",
  "azertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "yxcvbnm",
];

/** What is wrong with it, for people. Null: accepted. */
export function passwordComplaint(password: string, names: readonly string[]): string | null {
  const length = [...password].length;
  if (length < PASSWORD_LENGTH_MIN) return `Use at least ${PASSWORD_LENGTH_MIN} characters.`;
  if (length > PASSWORD_LENGTH_MAX) return `Use at most ${PASSWORD_LENGTH_MAX} characters.`;
  const plain = password.normalize("NFKC").toLowerCase();
  if (COMMON_PASSWORDS.has(plain)) return "This password is well known. Use another one.";
  if (names.flatMap(nameForms).includes(plain)) return "Do not use your own name or email.";
  if (new Set(plain).size < DIFFERENT_CHARACTERS_MIN) return "Use more different characters.";
  return isRun(plain) ? "Do not use neighbouring keys or letters in a row." : null;
}

/** An email counts whole and by the part before its `@`. */
function nameForms(name: string): string[] {
  const plain = name.normalize("NFKC").toLowerCase();
  return [plain, plain.split("@")[0] ?? plain];
}

function isRun(text: string): boolean {
  const isRunOf = (row: string): boolean => {
    const rows = row.repeat(Math.ceil(text.length / row.length) + 1);
    return rows.includes(text) || [...rows].toReversed().join("").includes(text);
  };
  return ROWS.some(isRunOf);
}
