/** Days for which something of chats holds, between a form's texts and its endpoint. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ApiProblem } from "@atelier/contract/client";
import { problemOfFields } from "../forms/field-problems.ts";
import { typedNumber } from "../forms/typed-number.ts";

/** What was typed into a field. Null: nothing, so the server's option holds. */
export function typedDays(field: string, text: string): Result<number | null, ApiProblem> {
  if (text.trim() === "") return ok(null);
  const days = typedNumber(text);
  if (days !== null) return ok(days);
  return fail(problemOfFields([{ field, detail: "A whole number, or nothing." }]));
}

/** `none`: what 0 means. */
export function daysText(days: number, none: string): string {
  if (days === 0) return none;
  return days === 1 ? "1 day" : `${days} days`;
}
