/** The options that bring a model provider's keys, most private first, and reading them. */
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import type { CliFailure } from "./cli-failure.ts";
import type { Cli } from "./cli.ts";
import { switchOption, textsOption } from "./command.ts";
import { secretFromFile, secretFromInput } from "./secret-input.ts";

/** Without the one that others on the machine can see. */
export const PRIVATE_KEY_OPTIONS = {
  apiKeyStdin: switchOption("--api-key-stdin", "read a key from stdin"),
  apiKeyFile: textsOption("--api-key-file <path>", "read a key from a file"),
};

export const KEY_OPTIONS = {
  ...PRIVATE_KEY_OPTIONS,
  apiKeyFile: textsOption("--api-key-file <path>", "read a key from a file; can be repeated"),
  apiKey: textsOption("--api-key <key>", "a key; visible to others in process lists"),
};

export type KeyOptions = {
  readonly apiKeyStdin: boolean;
  readonly apiKeyFile: readonly string[];
  readonly apiKey: readonly string[];
};

/** In the order of the options above. Asks for one when none is given and somebody is there. */
export async function providerKeys(
  cli: Cli,
  options: KeyOptions,
  question: string,
): Promise<Result<readonly Secret[], CliFailure>> {
  const keys: Secret[] = [];
  if (options.apiKeyStdin) {
    const key = await secretFromInput(cli, "--api-key-stdin");
    if (!key.ok) return key;
    keys.push(key.value);
  }
  for (const path of options.apiKeyFile) {
    const key = await secretFromFile(path, "--api-key-file");
    if (!key.ok) return key;
    keys.push(key.value);
  }
  if (options.apiKey.length > 0) {
    cli.note("Warning: a key on the command line is visible in process lists and shell history.");
    keys.push(...options.apiKey.map((key) => new Secret(key)));
  }
  if (keys.length > 0 || cli.prompts === null) return ok(keys);
  const answer = await cli.prompts.secret(question);
  if (!answer.ok) return fail(answer.failure);
  return ok(answer.value.reveal() === "" ? [] : [answer.value]);
}
