/** Which queued message people mean: by its id, as lists show it. */
import { fail, ok, type Result } from "@atelier/base/result";
import { usageFailure, type CliFailure } from "../cli-failure.ts";
import { argument } from "../command.ts";

export const QUEUED_ARGUMENT = argument("the queued message's id");

export function parseQueued(text: string): Result<number, CliFailure> {
  const [, digits] = /^#?(\d{1,15})$/.exec(text) ?? [];
  return digits === undefined || Number(digits) === 0
    ? fail(
        usageFailure("The id of a queued message is a number.", "See `atelier chat queue list`."),
      )
    : ok(Number(digits));
}
