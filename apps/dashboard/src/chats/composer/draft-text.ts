/** What is being written in a chat, kept on this device until it is sent. */
import type { SendInput } from "./send-input.ts";

export type Draft = Pick<SendInput, "text" | "files" | "references">;

export const NO_DRAFT: Draft = { text: "", files: [], references: [] };

/** Null: nothing is worth keeping. */
export function draftText(draft: Draft): string | null {
  const { text, files, references } = draft;
  return text === "" && files.length === 0 && references.length === 0
    ? null
    : JSON.stringify({ text, files, references });
}

export function draftOf(kept: string | null): Draft {
  try {
    const { text, files, references } = JSON.parse(kept ?? "{}") as Partial<Draft>;
    return {
      text: typeof text === "string" ? text : "",
      files: Array.isArray(files) ? files : [],
      references: Array.isArray(references) ? references : [],
    };
  } catch {
    return NO_DRAFT; // Whatever stands there, it is no draft.
  }
}

/** With another one behind it. */
export function joined(draft: Draft, more: Draft): Draft {
  const texts = [draft.text.trimEnd(), more.text].filter((text) => text !== "");
  return {
    text: texts.join("\n\n"),
    files: [...draft.files, ...more.files],
    references: [...draft.references, ...more.references],
  };
}
