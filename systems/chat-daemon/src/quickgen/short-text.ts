/** Short texts by models: what they are asked, and what of their answers counts (spec agents 9.1). Pure. */

const TITLE_WORDS_MAX = 8;
const TITLE_LETTERS_MAX = 80;
const CONTEXT_LETTERS_MAX = 6_000;
const LATEST_LETTERS_MAX = 1_000;

export const TITLE_INSTRUCTION =
  "You name conversations. Answer with the title only: 2 to 8 words, sentence case, no quotes, no full stop. Keep names of files, functions and products as they are written. Name the task, not the conversation.";

export const LABEL_INSTRUCTION =
  'You label what a coding agent has just done. Answer with the label only: 2 to 5 words, such as "Fixed failing parser tests". No subject, no full stop, one line.';

/** Null: not a title. */
export function toTitle(answer: string): string | null {
  const title = answer
    .trim()
    .replace(/^["'`“”‘’]+|["'`“”‘’.]+$/gu, "")
    .replaceAll(/\s+/gu, " ")
    .trim();
  const words = title === "" ? 0 : title.split(" ").length;
  if (words === 0 || words > TITLE_WORDS_MAX || [...title].length > TITLE_LETTERS_MAX) return null;
  return title;
}

const SUBJECTS = /^(?:agent|i|we|it|the)\b/i;

/** Null: not a label. */
export function toLabel(answer: string): string | null {
  const label = answer.trim().replace(/[.!]$/u, "");
  if (/[\n\r]|[.!?]\s/u.test(label) || SUBJECTS.test(label)) return null;
  const words = label.split(/\s+/u).filter((word) => word !== "");
  return words.length >= 2 && words.length <= 5 ? words.join(" ") : null;
}

/** Why a turn is over, in words, where no model says better. */
export const LABELS = {
  finished: "Finished latest turn",
  requires_action: "Waiting for user input",
  error: "Hit an error",
} as const;

export type Said = { readonly role: "user" | "assistant"; readonly text: string };

/** The first thing that was asked and the last of what was said, with a mark between them. */
export function titleContext(said: readonly Said[]): string {
  const first = said.find(({ role }) => role === "user");
  const last = said.slice(-6).filter((one) => one !== first);
  const latest = last.findLast(({ role }) => role === "user");
  const lines = [
    ...(first === undefined ? [] : [lineOf(first, CONTEXT_LETTERS_MAX / 2)]),
    ...(said.length > last.length + 1 ? ["[…]"] : []),
    ...last.map((one) => lineOf(one, one === latest ? LATEST_LETTERS_MAX : 500)),
  ];
  return cut(lines.join("\n\n"), CONTEXT_LETTERS_MAX);
}

function lineOf({ role, text }: Said, lettersMax: number): string {
  return `${role === "user" ? "User" : "Agent"}: ${cut(text.trim(), lettersMax)}`;
}

function cut(text: string, lettersMax: number): string {
  const letters = [...text];
  return letters.length <= lettersMax ? text : `${letters.slice(0, lettersMax - 1).join("")}…`;
}
