/** Questions that an agent asks, and the person's answers as the message that carries them. */
import { listIn, textIn } from "./json-fields.ts";

export type Question = {
  readonly header: string;
  readonly question: string;
  readonly options: readonly { readonly label: string; readonly description: string | null }[];
};

/** What was chosen of each question, in words of its own where none fits. */
export type Answer = { readonly choice: string | null; readonly own: string };

export function questionsIn(args: unknown): readonly Question[] {
  return listIn(args, "questions").flatMap((each) => {
    const question = textIn(each, "question");
    if (question === null) return [];
    const options = listIn(each, "options").flatMap((option) => {
      const label = textIn(option, "label");
      return label === null ? [] : [{ label, description: textIn(option, "description") }];
    });
    return [{ header: textIn(each, "header") ?? "", question, options }];
  });
}

/** Null while a question is open. */
export function answerText(
  questions: readonly Question[],
  answers: readonly Answer[],
): string | null {
  const said = questions.map((_, index) => {
    const { choice = null, own = "" } = answers[index] ?? {};
    return [choice ?? "", own.trim()].filter((text) => text !== "").join(": ");
  });
  if (said.length === 0 || said.includes("")) return null;
  if (said.length === 1) return said[0] ?? null;
  return questions
    .map(({ header, question }, index) => `${header === "" ? question : header}: ${said[index]}`)
    .join("\n");
}
