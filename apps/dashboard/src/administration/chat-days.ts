/** Days for which something of chats holds, between a form's texts and its endpoint. */
import { fail, ok, type Result } from "@atelier/base/result";
import { typedNumber } from "../forms/typed-number.ts";

/** Null: nothing is typed, so the server's option holds. */
export function typedDays(text: string): Result<number | null, "not_a_number"> {
  if (text.trim() === "") return ok(null);
  const days = typedNumber(text);
  return days === null ? fail("not_a_number") : ok(days);
}

/** `none`: what 0 means. */
export function daysText(days: number, none: string): string {
  if (days === 0) return none;
  return days === 1 ? "1 day" : `${days} days`;
}
