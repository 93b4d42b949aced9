/** All edits of one call on the texts that they are for: all of them fit, or the failure says which do not. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import { applyEdit, type TextEdit } from "./apply-edit.ts";
import { hintAtClosest } from "./closest-lines.ts";

/** An edit of one file. */
export type FileTextEdit = TextEdit & {
  /** Its place among the edits of the call. */
  readonly index: number;
  /** As the caller named the file. */
  readonly path: string;
};

const PROBLEMS_MAX = 8;

/** `texts` and the answer are keyed like `edits`: by file. */
export function applyEdits(
  edits: ReadonlyMap<string, readonly FileTextEdit[]>,
  texts: ReadonlyMap<string, string>,
): Result<ReadonlyMap<string, string>, WorkspaceFailure> {
  const edited = new Map<string, string>();
  const problems: string[] = [];
  for (const [file, own] of edits) {
    let text = texts.get(file) ?? "";
    for (const edit of own) {
      const outcome = applyEdit(text, edit);
      if (outcome.kind !== "edited") {
        problems.push(`edits[${edit.index}] (${edit.path}): ${describe(outcome, text, edit)}`);
        break; // What follows in this file may rest on this edit.
      }
      text = outcome.text;
    }
    edited.set(file, text);
  }
  if (problems.length === 0) return ok(edited);
  const more = problems.length - PROBLEMS_MAX;
  if (more > 0) problems.splice(PROBLEMS_MAX, more, `And ${more} more do not fit.`);
  problems.push("No edits were applied.");
  return fail({ code: "conflict", message: problems.join("\n") });
}

function describe(
  outcome: Exclude<ReturnType<typeof applyEdit>, { readonly kind: "edited" }>,
  text: string,
  edit: TextEdit,
): string {
  if (outcome.kind === "several") {
    const count = outcome.isMore ? "many" : outcome.lines.length;
    const named = outcome.lines.join(", ") + (outcome.isMore ? " …" : "");
    return (
      `oldText stands there ${count} times (lines ${named}): ` +
      "give more of the lines around it, or set replaceAll."
    );
  }
  const hint = hintAtClosest(text, edit.oldText);
  return `oldText does not stand there. ${hint === "" ? "Read the file again." : hint}`;
}
