/**
 * Passwords, keys and tokens on their way in: from stdin, a file, or typed without being shown.
 *
 * One line break at the end is not part of the secret, because `echo` and editors add it.
 */
import { readFile, stat } from "node:fs/promises";
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import { cancelledFailure, plainFailure, usageFailure, type CliFailure } from "./cli-failure.ts";
import type { Cli } from "./cli.ts";

/** Far above any password, key or token. */
const SECRET_BYTES_MAX = 64 * 1_024;

export async function secretFromInput(
  cli: Cli,
  optionName: string,
): Promise<Result<Secret, CliFailure>> {
  const text = await cli.readInput(SECRET_BYTES_MAX, cli.signal);
  if (text.ok) return secretOf(text.value, `${optionName}: stdin is empty.`);
  if (text.failure === "cancelled") return fail(cancelledFailure());
  return fail(usageFailure(`${optionName}: stdin holds too much.`));
}

export async function secretFromFile(
  path: string,
  optionName: string,
): Promise<Result<Secret, CliFailure>> {
  try {
    const { size } = await stat(path);
    if (size > SECRET_BYTES_MAX) return fail(usageFailure(`${optionName}: ${path} is too large.`));
    return secretOf(await readFile(path, "utf8"), `${optionName}: ${path} is empty.`);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    return fail(plainFailure(`${optionName}: cannot read ${path} (${code}).`));
  }
}

/** A password to be set: from stdin with the option, else typed twice. */
export async function newPassword(
  cli: Cli,
  input: { readonly isFromInput: boolean; readonly optionName: string; readonly whose: string },
): Promise<Result<Secret, CliFailure>> {
  if (input.isFromInput) return secretFromInput(cli, input.optionName);
  if (cli.prompts === null) {
    return fail(
      usageFailure(`No password is given for ${input.whose}.`, `Use ${input.optionName}.`),
    );
  }
  const first = await cli.prompts.secret(`New password for ${input.whose}`);
  if (!first.ok) return first;
  const second = await cli.prompts.secret("The same again");
  if (!second.ok) return second;
  if (first.value.reveal() === second.value.reveal()) return first;
  return fail(plainFailure("The two passwords differ; nothing is changed."));
}

function secretOf(text: string, emptyMessage: string): Result<Secret, CliFailure> {
  const value = text.replace(/\r?\n$/, "");
  return value === "" ? fail(usageFailure(emptyMessage)) : ok(new Secret(value));
}
