/**
 * Search texts of list endpoints: `key:value` terms separated by spaces. A value with spaces is
 * written in double quotes, with `\"` and `\\` for the characters themselves. Each key at most once.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure, Validation } from "./failures.ts";
import type { z } from "zod";

/** The terms by key, or what is wrong with the text. Keys are matched without regard to case. */
export function parseSearchQuery<const Key extends string>(
  text: string,
  allowedKeys: readonly Key[],
): Result<ReadonlyMap<Key, string>, readonly Validation[]> {
  const terms = new Map<Key, string>();
  const validations: Validation[] = [];
  for (const word of splitWords(text)) {
    const { name, value } = splitTerm(word);
    const key = allowedKeys.find((allowed) => allowed === name.toLowerCase());
    const complaint = complain(name, { isKnown: key !== undefined, value });
    if (complaint !== null) validations.push({ field: "q", detail: complaint });
    else if (key !== undefined && terms.has(key)) {
      validations.push({ field: "q", detail: `"${key}" is given twice.` });
    } else if (key !== undefined && value !== null) terms.set(key, value);
  }
  return validations.length === 0 ? ok(terms) : fail(validations);

  function complain(name: string, term: { isKnown: boolean; value: string | null }): string | null {
    if (name === "") return "Write each term as key:value.";
    if (!term.isKnown) return `"${name}" is not one of ${allowedKeys.join(", ")}.`;
    if (term.value === null) return `The quotes of "${name}" are not closed properly.`;
    return term.value === "" ? `"${name}" has no value.` : null;
  }
}

/** The terms as values of their schema, whose keys are the ones that are known. */
export function parseSearch<Shape extends z.ZodRawShape>(
  text: string,
  terms: z.ZodObject<Shape>,
): Result<z.output<z.ZodObject<Shape>>, Failure<"request.invalid">> {
  const words = parseSearchQuery(text, terms.keyof().options);
  if (!words.ok) return fail({ code: "request.invalid", validations: words.failure });
  const parsed = terms.safeParse(Object.fromEntries(words.value));
  if (parsed.success) return ok(parsed.data);
  const validations = parsed.error.issues.map(({ path, message }) => ({
    field: "q",
    detail: `${path.join(".")}: ${message}`,
  }));
  return fail({ code: "request.invalid", validations });
}

/** Words are separated by white space outside quotes. */
function splitWords(text: string): string[] {
  return text.match(/(?:[^\s"]|"(?:\\.|[^"\\])*(?:"|$))+/gs) ?? [];
}

/** The value is null when its quotes are wrong; the name is empty when there is no key. */
function splitTerm(word: string): { readonly name: string; readonly value: string | null } {
  const colon = word.indexOf(":");
  if (colon < 1) return { name: "", value: null };
  const raw = word.slice(colon + 1);
  const quoted = /^"((?:\\.|[^"\\])*)"$/s.exec(raw)?.[1];
  const value = quoted?.replaceAll(/\\(.)/gs, "$1") ?? (raw.includes('"') ? null : raw);
  return { name: word.slice(0, colon), value };
}
