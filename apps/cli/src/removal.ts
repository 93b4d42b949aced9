/** What commands that take something away for good have in common: they ask first. */
import { ok, type Result } from "@atelier/base/result";
import type { CliFailure } from "./cli-failure.ts";
import { signedIn, type Api, type Cli } from "./cli.ts";
import { shown, type CommandOutcome } from "./command.ts";
import { confirmed } from "./confirmation.ts";

export type Removal = {
  readonly question: string;
  remove(api: Api): Promise<Result<unknown, CliFailure>>;
  /** What `--json` prints, since the API answers nothing. */
  readonly json: unknown;
  /** Safe for terminals. */
  readonly text: string;
};

/** `isSure`: `-y` was given. */
export async function removeOnceSure(cli: Cli, isSure: boolean, removal: Removal): CommandOutcome {
  const api = await signedIn(cli);
  if (!api.ok) return api;
  const sure = await confirmed(cli, isSure, removal.question);
  if (!sure.ok) return sure;
  const removed = await removal.remove(api.value);
  if (!removed.ok) return removed;
  return ok(shown({ json: removal.json, text: () => removal.text }));
}
