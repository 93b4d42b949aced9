/** Asking before something cannot be undone. Without a person to ask, `-y` must say yes. */
import { fail, ok, type Result } from "@atelier/base/result";
import { cancelledFailure, usageFailure, type CliFailure } from "./cli-failure.ts";
import type { Cli } from "./cli.ts";
import { switchOption } from "./command.ts";
import { terminalSafe } from "./output/terminal-safe.ts";

export const YES_OPTION = switchOption("-y, --yes", "do not ask");

export async function confirmed(
  cli: Cli,
  isGiven: boolean,
  question: string,
): Promise<Result<void, CliFailure>> {
  if (isGiven) return ok(undefined);
  if (cli.prompts === null) {
    return fail(usageFailure("This cannot be undone and nobody can be asked.", "Add -y to do it."));
  }
  const answer = await cli.prompts.confirm(terminalSafe(question));
  if (!answer.ok) return answer;
  return answer.value ? ok(undefined) : fail({ ...cancelledFailure(), exitCode: 1 });
}
