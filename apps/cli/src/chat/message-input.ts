/** The text of a message: the words of the command line, stdin, or typed. */
import { fail, ok, type Result } from "@atelier/base/result";
import { cancelledFailure, usageFailure, type CliFailure } from "../cli-failure.ts";
import type { Cli } from "../cli.ts";

const INPUT_BYTES_MAX = 4 * 1_024 * 1_024;

/** A single `-` stands for stdin. */
export async function messageInput(
  cli: Cli,
  words: readonly string[],
): Promise<Result<string, CliFailure>> {
  const text = words.join(" ").trim();
  if (text !== "" && text !== "-") return ok(text);
  if (text === "" && cli.prompts !== null) return cli.prompts.text("Message");
  if (text === "" && cli.streams.isInputTerminal) return fail(nothingToSay());
  const read = await cli.readInput(INPUT_BYTES_MAX, cli.signal);
  if (!read.ok) {
    return fail(
      read.failure === "cancelled"
        ? cancelledFailure()
        : usageFailure("The text on stdin is too long: 4 MiB at most."),
    );
  }
  const given = read.value.trim();
  return given === "" ? fail(nothingToSay()) : ok(given);
}

/** What was typed here is nowhere else, when the server does not take it. */
export function showUnsent(cli: Cli, words: readonly string[], text: string): void {
  const isTyped = words.join(" ").trim() === "" && cli.prompts !== null;
  if (isTyped) cli.note(`Not sent. What you wrote: ${text}`);
}

function nothingToSay(): CliFailure {
  return usageFailure("There is no message.", 'Give it as words: atelier chat new "…"');
}
